// A Java program that is at work, on Debian's OpenJDK with the debug information of its JVM.
import assert from 'node:assert/strict';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { publicFolder } from './nobody.mjs';
import { atEnd, run, start } from './processes.mjs';
import { needsFiles, needsRoot } from './programs.mjs';

const JAVAC = '/usr/lib/jvm/java-17-openjdk-amd64/bin/javac';
const PROGRAM = `
public class Work {
    static Object[] kept = new Object[1 << 16];
    static long spin(long n) {
        long x = 1;
        for (long i = 0; i < n; i++) x = x * 31 + i;
        return x;
    }
    static long churn(int n) {
        for (int i = 0; i < n; i++) kept[i & 0xffff] = new long[32];
        return n;
    }
    static long both() { return spin(4000000) + churn(40000); }
    public static void main(String[] arguments) {
        long sum = 0;
        while (sum != 42) sum += both();
    }
}
`;

/** The file with libjvm's debug information that Debian's package brings. */
async function debugFile(t, home) {
  const { stdout } = await run(t, '/usr/bin/readelf', ['-n', join(home, 'lib/server/libjvm.so')]);
  const id = /Build ID: ([0-9a-f]+)/.exec(stdout)[1];
  return `/usr/lib/debug/.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`;
}

/** Compiles and starts the program; its JVM's tools are in `bin`. null where there is no JDK. */
export async function startJava(t, options) {
  if (!needsRoot(t) || !needsFiles(t, [JAVAC], 'openjdk-17-jdk-headless')) return null;
  const bin = dirname(realpathSync(JAVAC));
  if (!needsFiles(t, [await debugFile(t, dirname(bin))], 'openjdk-17-dbg')) return null;
  const folder = publicFolder(t);
  writeFileSync(join(folder, 'Work.java'), PROGRAM);
  const { code, stderr } = await run(t, JAVAC, ['-d', folder, join(folder, 'Work.java')]);
  assert.equal(code, 0, stderr);
  const java = start(t, join(bin, 'java'),
    [...options, '-XX:+UseG1GC', '-Xmx64m', '-cp', folder, 'Work'], { cwd: folder });
  atEnd(t, () => rmSync(`/tmp/perf-${java.pid}.map`, { force: true }));
  return { pid: java.pid, bin };
}
