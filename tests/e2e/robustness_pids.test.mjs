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

test('what gets the pid of a target that ended is not the target', async (t) => {
  if (!needsRoot(t) || !needsFiles(t, ['/usr/bin/unshare'], 'util-linux')) return;
  const outer = start(
    t,
    '/usr/bin/unshare',
    ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', SCRIPT, targetPath('ratios'), LPROFD, targetPath('threads')],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const printed = (pattern) => until(`${pattern}`, () => {
    if (outer.over) throw new Error(outer.stderr);
    return pattern.exec(outer.stdout);
  });
  const [url] = await printed(/http:\S+(?=\/$)/m);
  const get = async (path) => (await request(`${url}/api/v1/sessions/current${path}`)).json();
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
