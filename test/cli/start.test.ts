/** The built program while it starts, and where it cannot. `npm test` builds first. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { workspace } from '../config/workspace.js';
import { watched } from '../support/unlogged.js';

const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const signalling = new URL('../support/signal-while-loading.js', import.meta.url).href;
const flags = ['--listen', '127.0.0.1:0', '--upstream', 'postgres://127.0.0.1:1'];

describe('a signal while the modules are loaded', () => {
  test.each([
    ['SIGHUP', 'are read again'],
    ['SIGUSR1', 'SIGUSR1 changes nothing'],
    ['SIGUSR2', 'SIGUSR2 changes nothing'],
  ])('%s is acted upon, and ends nothing', async (signal, said) => {
    const child = startSignalled(signal, 'serve', ...flags);
    const log = text(child.stderr);
    const [banner] = await once(child.stdout, 'data');
    expect(String(banner)).toContain('pgcascade listens on 127.0.0.1:');
    child.kill('SIGTERM');
    expect(await exitOf(child)).toEqual([143, null]);
    expect(await log).toContain(said);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('%s ends the program with %d, and nothing is said', async (signal, code) => {
    const child = startSignalled(signal, 'serve', ...flags);
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    expect(await exitOf(child)).toEqual([code, null]);
    expect(await said).toEqual(['', '']);
  });
});

describe('a start that fails', () => {
  // Newer releases of Node.js load the program with fewer open files than Node.js 20.
  test.each([30, 70, 127])('says in one line that %d files are too few', async (limit) => {
    const limited = [`ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, program, ...flags];
    const child = supervised(spawn('sh', ['-c', ...limited], { cwd: workspace() }));
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    expect(await exitOf(child)).toEqual([1, null]);
    expect(await said).toEqual([
      '',
      'pgcascade: cannot start: the limit of open files is too low. Raise it (ulimit -n) to 1024 or more\n',
    ]);
  });

  test.runIf(process.platform === 'linux').each([
    ['/proc/pgcascade', 'cannot listen in /proc/pgcascade: no directory can be made there (ENOENT)'],
    ['/proc/pgcascade/run', 'cannot listen in /proc/pgcascade: no directory can be made there (ENOENT)'],
    ['/dev/null/run', 'cannot listen in /dev/null: it is not a directory'],
    ['/proc', 'cannot listen on /proc/.s.PGSQL.6432: not permitted'],
  ])('says why there can be no socket in %s', async (directory, reason) => {
    const child = start(['serve', '--upstream', 'postgres://127.0.0.1:1', '--listen', directory]);
    const said = text(child.stderr);
    expect(await exitOf(child)).toEqual([1, null]);
    expect(await said).toContain(reason);
  });
});

function start(argv: readonly string[], node: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  return supervised(
    spawn(process.execPath, [...node, program, ...argv], {
      cwd: workspace(),
      env: { ...process.env, PGCASCADE_ADMIN_LISTEN: 'null', ...env },
    }),
  );
}

function startSignalled(signal: string, ...argv: readonly string[]) {
  return start(argv, ['--import', signalling], { SIGNAL_WHILE_LOADING: signal });
}

/** A program that does not end fails its test, and does not outlive it. */
function supervised<Child extends ChildProcess>(child: Child): Child {
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return watched(child);
}

/** The exit code, or else the signal that ended the process. */
function exitOf(child: ChildProcess): Promise<unknown[]> {
  return once(child, 'close');
}
