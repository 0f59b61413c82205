// Process ids that are used again.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { request } from './helpers/http.mjs';
import { start, until } from './helpers/processes.mjs';
import { LPROFD, needsFiles, needsRoot, targetPath } from './helpers/programs.mjs';

// In a namespace of its own, where the next pid can be chosen, and nobody else takes it.
const SCRIPT = `"$0" 300 >/dev/null & first=$!
"$1" --listen 127.0.0.1:0 --symbol-cache off --backend perf-cpu --pid $first & daemon=$!
read line
kill -STOP $daemon # it hears of all that follows at once
kill -9 $first
wait $first
echo $((first - 1)) >/proc/sys/kernel/ns_last_pid
"$2" 300 >/dev/null & echo "pids $first $!"
sleep 0.05
kill -CONT $daemon
read line
kill $daemon
wait $daemon`;

/** Runs a script in a pid namespace of its own, and waits for the URL of the lprofd that it starts. */
async function startInNamespace(t, script) {
  const outer = start(
    t,
    '/usr/bin/unshare',
    ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script, targetPath('ratios'), LPROFD, targetPath('threads')],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const printed = (pattern) => until(`${pattern}`, () => {
    if (outer.over) throw new Error(outer.stderr);
    return pattern.exec(outer.stdout);
  });
  const [url] = await printed(/http:\S+(?=\/$)/m);
  const get = async (path) => (await request(`${url}/api/v1/sessions/current${path}`)).json();
  return { printed, get, outer };
}

/** A shell that waits for the child that it started, and that another program gets the pid of. */
const CHILD_SCRIPT = `ratios=$0 lprofd=$1 threads=$2
sh -c '"$0" 300 >/dev/null & wait; exec sleep 300' "$ratios" & target=$!
children=/proc/$target/task/$target/children
until child=$(tr -d ' ' <$children); test "$child"; do :; done
"$lprofd" --listen 127.0.0.1:0 --symbol-cache off --backend perf-cpu --follow --pid $target & daemon=$!
read line
kill -9 $child
while test -d /proc/$child; do :; done
while :; do
  echo $((child - 1)) >/proc/sys/kernel/ns_last_pid
  "$threads" 300 >/dev/null & other=$!
  test $other = $child && break
  kill -9 $other
done
echo "pids $child $other"
until read a b c d e f g h i j k l m used rest </proc/$other/stat; test "$used" -ge 400; do sleep 0.2; done
echo used
read line
kill $daemon
wait $daemon`;

/** A shell that starts a child, and once that has ended another one with its pid. */
const CHILDREN_SCRIPT = `ratios=$0 lprofd=$1 threads=$2
sh -c '"$0" 300 >/dev/null & child=$!
wait
echo $((child - 1)) >/proc/sys/kernel/ns_last_pid
"$1" 300 >/dev/null & echo "pids $child $!"
wait' "$ratios" "$threads" & target=$!
children=/proc/$target/task/$target/children
until child=$(tr -d ' ' <$children); test "$child"; do :; done
"$lprofd" --listen 127.0.0.1:0 --symbol-cache off --backend perf-cpu --follow --pid $target & daemon=$!
read line
kill -STOP $daemon # it hears of all that follows at once
kill -9 $child
sleep 1
kill -CONT $daemon
read line
kill $daemon
wait $daemon`;

test('a followed child that gets the pid of another one is sampled', async (t) => {
  if (!needsRoot(t) || !needsFiles(t, ['/usr/bin/unshare'], 'util-linux')) return;
  const { printed, get, outer } = await startInNamespace(t, CHILDREN_SCRIPT);
  await until('samples of the first', async () => (await get('')).samples.total > 200, 300);
  outer.child.stdin.write('go\n');
  await printed(/^pids (\d+) \1$/m);
  await until('samples of the second', async () => {
    const threads = await get('/threads?limit=1000');
    return threads.some(({ name, self_hits }) => name.startsWith('worker') && self_hits > 100);
  }, 300);
  const { warnings, processes } = await get('');
  assert.equal(processes, 2);
  assert.ok(!warnings.some((text) => /left out/.test(text)), warnings.join('\n'));
  outer.child.stdin.end('stop\n');
  assert.equal((await outer.ended).code, 0, outer.stderr);
});

test('what gets the pid of a followed child that ended is not sampled', async (t) => {
  if (!needsRoot(t) || !needsFiles(t, ['/usr/bin/unshare'], 'util-linux')) return;
  const { printed, get, outer } = await startInNamespace(t, CHILD_SCRIPT);
  await until('samples of the child', async () => (await get('')).samples.total > 200, 300);
  outer.child.stdin.write('go\n');
  await printed(/^pids (\d+) \1$/m);
  await printed(/^used$/m); // for longer than records of the child may come late
  const { warnings, processes } = await get('');
  assert.equal(processes, 1);
  assert.ok(!warnings.some((text) => /left out/.test(text)), warnings.join('\n'));
  const { functions } = await get('/functions?limit=1000');
  assert.ok(functions.some((row) => row.function === 'five'));
  outer.child.stdin.end('stop\n');
  assert.equal((await outer.ended).code, 0, outer.stderr);
});

test('what gets the pid of a target that ended is not the target', async (t) => {
  if (!needsRoot(t) || !needsFiles(t, ['/usr/bin/unshare'], 'util-linux')) return;
  const { printed, get, outer } = await startInNamespace(t, SCRIPT);
  await until('samples of the target', async () => (await get('')).samples.total > 200, 300);
  outer.child.stdin.write('go\n');
  const [, first, second] = await printed(/^pids (\d+) (\d+)$/m);
  assert.equal(second, first);
  await until('the session ends', async () => (await get('')).state === 'exited');
  const threads = await get('/threads');
  assert.deepEqual(threads.map(({ tid, name }) => [tid, name]), [[Number(first), 'ratios']]);
  const { functions } = await get('/functions?limit=1000');
  assert.ok(functions.some((row) => row.function === 'five'));
  outer.child.stdin.end('stop\n');
  assert.equal((await outer.ended).code, 0, outer.stderr);
});
