// Where lprofd itself spends its time: perf's profile of the daemon while it samples at 10 kHz.
import { join } from 'node:path';

import { PERF } from '../e2e/helpers/perf.mjs';
import { PROGRAMS, startProgram } from '../e2e/helpers/real_programs.mjs';
import { attach, has, missing, publicFolder, row, run, startWork } from './lib.mjs';

async function own(t, { quick }) {
  if (!has(PERF)) return [missing('own', 'functions of the daemon', '-', 'linux-perf')];
  const rows = [];
  for (const name of ['work', 'python']) {
    const target = name === 'work' ? await startWork(t, 'threads', 400000) : await startProgram(t, PROGRAMS[name]);
    if (name === 'work') void target.turn().catch(() => {});
    const daemon = await attach(t, target.pid, ['--frequency', '10000']);
    const before = (await daemon.get('/sessions/current')).samples.total;
    const file = join(publicFolder(t), 'own.data');
    const seconds = quick ? 4 : 10;
    const args = ['record', '-q', '-F', '9973', '-e', 'cpu-clock', '-o', file, '-p', String(daemon.pid)];
    await run(t, PERF, [...args, 'sleep', String(seconds)], { seconds: 60 });
    const samples = (await daemon.get('/sessions/current')).samples.total - before;
    const report = ['report', '-i', file, '--stdio', '--no-inline', '-s', 'dso,sym', '-w', '24,60'];
    const { stdout } = await run(t, PERF, report, { seconds: 120 });
    const top = [...stdout.matchAll(/^\s+([\d.]+)%\s+(\S+)\s+\[([.k])\]\s+(.+?)\s*$/gm)].slice(0, 15);
    rows.push(
      row('own', `${name}: share of the hottest function, 10 kHz`, {
        ours: Number(top[0]?.[1] ?? 0) / 100,
        unit: 'percent',
        target: '-',
        verdict: '',
        why: `${samples} samples in ${seconds} s\n${top.map((one) => `    ${one[1].padStart(6)} %  ${one[2]}  ${one[4]}`).join('\n')}`,
      }),
    );
    target.kill('SIGKILL');
    await target.ended;
    await daemon.stop();
  }
  return rows;
}

export const figures = { own };
