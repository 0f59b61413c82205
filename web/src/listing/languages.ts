// Families of languages: what the tokeniser has to know of each.

export type Kind = 'comment' | 'string' | 'number' | 'keyword' | 'type' | 'call' | 'meta' | 'constant';

export interface StringRule {
  open: string;
  close: string;
  /** A backslash takes the next character's meaning. */
  escape: boolean;
  /** Goes on over line ends. */
  lines: boolean;
}

export interface Language {
  name: string;
  /** Sources of regular expressions: what makes the rest of the line a comment. */
  comments: string[];
  block?: { open: string; close: string; nests: boolean };
  strings: StringRule[];
  /** Strings that end as they begin: the source of a regular expression, and the end that belongs to what it found. */
  raw?: { open: string; close: (opening: string) => string };
  /** Before strings and words: what looks like one and is not. */
  extras: [source: string, kind: Kind][];
  keywords: ReadonlySet<string>;
  types: ReadonlySet<string>;
  /** Words with a capital are types. */
  capitals?: boolean;
  /** WORDS_LIKE_THIS are constants. */
  macros?: boolean;
  /** The first word of a line is what it does. */
  mnemonics?: boolean;
  /** A slash may begin a regular expression. */
  regexps?: boolean;
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));
const quoted = (mark: string, lines = false): StringRule => ({ open: mark, close: mark, escape: true, lines });
const verbatim = (mark: string): StringRule => ({ open: mark, close: mark, escape: false, lines: true });
const slashes = { comments: ['\\/\\/'], block: { open: '/*', close: '*/', nests: false } };
const none: ReadonlySet<string> = new Set();

const control = 'break case catch continue default do else finally for if return switch throw try while';
const classes = 'abstract class const enum extends false final implements import interface new null package private protected public static super this true var void';

const c: Language = {
  name: 'c', ...slashes, macros: true,
  strings: [quoted('"'), quoted("'")],
  raw: { open: '\\b(?:u8|[uUL])?R"[^()\\\\\\s"]{0,16}\\(', close: (opening) => `)${opening.slice(opening.indexOf('"') + 1, -1)}"` },
  extras: [['^\\s*#\\s*include\\s*<[^>]*>', 'meta'], ['^\\s*#\\s*[a-z_]\\w*', 'meta'], ['\\[\\[[\\w:, ]+\\]\\]', 'meta']],
  keywords: set(`${control} alignas alignof asm auto class co_await co_return co_yield concept const const_cast consteval constexpr constinit decltype delete dynamic_cast enum explicit export extern false final friend goto inline mutable namespace new noexcept nullptr operator override private protected public register reinterpret_cast requires restrict sizeof static static_assert static_cast struct template this thread_local true typedef typeid typename union using virtual volatile NULL __attribute__ __inline __restrict _Atomic _Generic _Noreturn _Static_assert _Thread_local __asm__ __global__ __device__ __shared__`),
  types: set('bool char char8_t char16_t char32_t double float int long short signed unsigned void wchar_t _Bool _Complex FILE'),
};

const rust: Language = {
  name: 'rust', comments: ['\\/\\/'], block: { open: '/*', close: '*/', nests: true }, capitals: true,
  strings: [quoted('"', true), quoted("'")],
  raw: { open: '\\b[bc]?r#{0,16}"', close: (opening) => `"${opening.replace(/[^#]/g, '')}` },
  extras: [["'[A-Za-z_]\\w*(?!\\w*')", 'type'], ['#!?\\[[^\\]]*\\]?', 'meta'], ['\\b[a-z_]\\w*!(?=[ (\\[{])', 'call']],
  keywords: set('as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self static struct super trait true type union unsafe use where while yield'),
  types: set('bool char f32 f64 i8 i16 i32 i64 i128 isize str u8 u16 u32 u64 u128 usize'),
};

const go: Language = {
  name: 'go', ...slashes, strings: [quoted('"'), quoted("'"), verbatim('`')], extras: [],
  keywords: set('break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select struct switch type var true false nil iota'),
  types: set('any bool byte complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr'),
};

const java: Language = {
  name: 'java', ...slashes, capitals: true,
  strings: [quoted('"""', true), quoted('"'), quoted("'")],
  extras: [['@[A-Za-z_][\\w.]*', 'meta']],
  keywords: set(`${control} ${classes} assert instanceof native record sealed permits strictfp synchronized throws transient volatile yield when fun val object override internal companion data open is in as by lazy lateinit suspend def trait with match given using extension func let guard defer inout protocol struct foreach namespace out params readonly ref unsafe virtual async await sizeof typeof nameof module version unittest scope`),
  types: set('boolean bool byte char decimal double float int long nint object sbyte short string uint ulong ushort'),
};

const javascript: Language = {
  name: 'javascript', ...slashes, capitals: true, regexps: true,
  strings: [quoted('"'), quoted("'"), quoted('`', true)],
  extras: [['@[A-Za-z_][\\w.]*', 'meta']],
  keywords: set(`${control} ${classes} as async await debugger declare delete export from function get in instanceof is keyof let namespace of readonly satisfies set type typeof undefined with yield`),
  types: set('any bigint boolean never number object string symbol unknown'),
};

const python: Language = {
  name: 'python', comments: ['#'], capitals: true,
  strings: [quoted('"""', true), quoted("'''", true), quoted('"'), quoted("'")],
  extras: [['^\\s*@[\\w.]+', 'meta']],
  keywords: set('and as assert async await break case cdef class continue cpdef def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield'),
  types: set('bool bytes complex dict float frozenset int list object set str tuple'),
};

const shell: Language = {
  name: 'shell', comments: ['(?:^|\\s)#'],
  strings: [quoted('"', true), { ...verbatim("'"), escape: false }],
  extras: [['\\$(?:\\{[^}]*\\}?|\\([A-Za-z_]\\w*\\)|\\w+|[@*#?$!-])', 'type'], ['(?:^|\\s)--?[A-Za-z][\\w-]*', 'meta'], ['\\\\.', 'constant']],
  keywords: set('begin case class def do done elif else elseif elsif end endforeach endfunction endif endmacro ensure esac exit export fi for foreach function if in include local macro module my next package proc require rescue return set sub then unless until use while yield'),
  types: none,
};

const assembly: Language = {
  name: 'assembly', comments: ['\\/\\/', '(?:^|\\s)#(?![\\d(:-])', '(?:^|\\s);', '(?:^|\\s)@(?=\\s)'], block: slashes.block, mnemonics: true,
  strings: [quoted('"')],
  extras: [
    ['^\\s*#\\s*(?:define|elif|else|endif|error|if|ifdef|ifndef|include|undef)\\b', 'meta'], ['^\\s*[\\w.$@]+:', 'call'],
    ['\\.[A-Za-z_]\\w*', 'meta'], ['%[A-Za-z]\\w*', 'type'], ['\\$-?(?:0[xX][\\da-fA-F]+|\\d+)', 'number'],
  ],
  keywords: none,
  types: none,
};

const fortran: Language = {
  name: 'fortran', comments: ['!', '^[cC*](?=\\s|$)'], strings: [{ ...quoted('"'), escape: false }, { ...quoted("'"), escape: false }], extras: [],
  keywords: set('allocate call case contains continue cycle deallocate do else elseif end enddo endif exit forall function goto if implicit in intent interface module none only parameter pure recursive result return select stop subroutine then use where while program allocatable'),
  types: set('character complex double integer logical precision real type'),
};

const dashes: Language = {
  name: 'dashes', comments: ['--'], strings: [quoted('"')], capitals: true, extras: [],
  keywords: set('and as begin body case class data deriving do else elsif elseif end exit false for function generic if import in instance is let local loop module new nil not null of or out package pragma private procedure record repeat return return select subtype then true type until use where while with'),
  types: none,
};

const ocaml: Language = {
  name: 'ocaml', comments: [], block: { open: '(*', close: '*)', nests: true }, strings: [quoted('"', true)], capitals: true,
  extras: [["'(?:[^'\\\\]|\\\\.)'", 'string'], ["'[a-z]\\w*", 'type']],
  keywords: set('and as assert begin class do done else end exception external false for fun function functor if in include inherit lazy let match method module mutable new object of open or rec sig struct then to true try type val virtual when while with'),
  types: set('array bool char float int list option string unit'),
};

const plain: Language = { name: 'plain', comments: [], strings: [], extras: [], keywords: none, types: none };

/** By the end of the name. What is not here is C, as most files that debug information names are. */
const ENDINGS: [Language, string][] = [
  [rust, 'rs'],
  [go, 'go'],
  [java, 'java kt kts scala sc groovy swift cs d dart vala zig'],
  [javascript, 'js mjs cjs jsx ts mts cts tsx'],
  [python, 'py pyx pxd pyi nim gd'],
  [shell, 'sh bash zsh awk pl pm rb tcl mk cmake yaml yml toml r jl php'],
  [assembly, 's asm nasm inc sx'],
  [fortran, 'f f77 f90 f95 f03 f08 for ftn'],
  [dashes, 'adb ads ada lua hs lhs sql vhd vhdl elm'],
  [ocaml, 'ml mli fs fsi pas'],
  [plain, 'txt md log json html xml csv'],
];
const byEnding = new Map(ENDINGS.flatMap(([language, endings]) => endings.split(' ').map((ending) => [ending, language] as const)));

export function languageOf(path: string): Language {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  if (/^(gnu)?makefile|^cmakelists/.test(name)) return shell;
  return byEnding.get(name.slice(name.lastIndexOf('.') + 1)) ?? c;
}

const LABELS: Record<string, string> = {
  rust: 'Rust', go: 'Go', javascript: 'JavaScript', python: 'Python', shell: 'Script', assembly: 'Assembly', fortran: 'Fortran', ocaml: 'ML',
  java: 'Java', kt: 'Kotlin', scala: 'Scala', swift: 'Swift', cs: 'C#', d: 'D', dart: 'Dart', zig: 'Zig', vala: 'Vala', ts: 'TypeScript', tsx: 'TypeScript',
  cc: 'C++', cpp: 'C++', cxx: 'C++', hpp: 'C++', hh: 'C++', hxx: 'C++', tcc: 'C++', ipp: 'C++', inl: 'C++', cu: 'CUDA', m: 'Objective-C', mm: 'Objective-C++',
  rb: 'Ruby', pl: 'Perl', lua: 'Lua', hs: 'Haskell', adb: 'Ada', ads: 'Ada', c: 'C', h: 'C', nim: 'Nim', pyx: 'Cython',
};

/** The language's name for people; '': nobody knows. */
export function labelOf(path: string): string {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  const language = languageOf(path);
  return LABELS[ending] ?? (language === c ? '' : LABELS[language.name] ?? '');
}
