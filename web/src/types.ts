// The documents of the REST interface, as daemon/http/openapi.json describes them.

export type SessionState = 'attaching' | 'running' | 'paused' | 'exited' | 'detached' | 'loaded';
export type Sort = 'self' | 'total';
export type Inlines = 'written' | 'called';

export interface Session {
  id: number;
  state: SessionState;
  pid: number;
  command: string;
  executable: string;
  started_at: string;
  duration_ns: number;
  backend: string;
  event: string;
  frequency_hz: number;
  stack_bytes: number;
  threads: number;
  threads_seen: number;
  samples: {
    total: number;
    lost: number;
    throttled: number;
    truncated_stacks: number;
    unwound_to_root: number;
    unresolved_frames: number;
  };
  time: { sampled_ns: number; accounted_ns: number; unsampled_ns: number };
  observer: { daemon_cpu_percent: number; target_overhead_percent: number; rss_bytes: number };
  knows_since_ns: number;
  warnings: string[];
}

export interface Process {
  pid: number;
  ppid: number;
  user: string;
  command: string;
  cpu_percent: number;
  threads: number;
  runtime: string;
}

export interface Cost {
  self_hits: number;
  total_hits: number;
  self_time_ns: number;
  total_time_ns: number;
  self_percent: number;
  total_percent: number;
  percent_low: number;
  percent_high: number;
}

export interface LineRow extends Cost {
  file: number;
  path: string;
  line: number;
  function: string;
  module?: string;
  inlined_into?: number;
  tid?: number;
  thread?: string;
}

export interface FunctionRow extends Cost {
  function: string;
  module: string;
  file: number | null;
  path: string | null;
  line: number;
  tid?: number;
  thread?: string;
}

export interface Total {
  hits: number;
  time_ns: number;
}

export interface Unknown {
  self_hits: number;
  self_time_ns: number;
  self_percent: number;
  reasons: Record<string, number>;
}

export interface Lines {
  total: Total;
  unknown: Unknown;
  lines: LineRow[];
  count: number;
}

export interface Functions {
  total: Total;
  functions: FunctionRow[];
  count: number;
}

export interface ThreadRow {
  tid: number;
  name: string;
  state: string;
  self_time_ns: number;
  self_percent: number;
}

export interface Timeline {
  start_ns: number;
  step_ns: number;
  /** tid 0: all other threads. */
  series: { tid: number; name: string; threads?: number; time_ns: number[] }[];
}

export interface FileRow {
  id: number;
  path: string;
  module: string;
  status: string;
  self_hits: number;
  total_hits: number;
  self_time_ns: number;
  total_time_ns: number;
  self_percent: number;
  total_percent: number;
}

export type Alignment = 'same' | 'text' | 'function' | 'number' | 'none';

export interface DiffPlace extends Cost {
  file: number | null;
  path: string | null;
  line: number | null;
}

export interface DiffRow {
  function: string;
  module: string;
  presence: 'both' | 'a' | 'b';
  alignment?: Alignment;
  a: DiffPlace;
  b: DiffPlace;
  delta_percent: number;
  delta_low: number;
  delta_high: number;
  test: 'z' | 'fisher' | 'none';
  p_value: number;
  q_value: number;
  significant: boolean;
}

export interface DiffSide {
  session: number;
  from_ns: number;
  to_ns: number;
  total: Total;
  unknown?: Unknown;
}

export interface Diff {
  kind: 'lines' | 'functions';
  share: Sort;
  a: DiffSide;
  b: DiffSide;
  file?: { a: number | null; b: number | null; alignment: Alignment; runs: [a: number, b: number, count: number][] };
  rows: DiffRow[];
  count: number;
  significant: number;
}
