import { execFile, spawn } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type StartOptions, startApp } from '../src/app.js';
import { parseArguments } from '../src/cli/arguments.js';
import type { Io } from '../src/cli/io.js';
import { main } from '../src/cli/main.js';
import { Signals } from '../src/cli/signals.js';
import { startFailure } from '../src/cli/start-failure.js';
import { loadConfig } from '../src/config/load.js';
import { workspace } from './config/workspace.js';

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const defaults = () => loadConfig({ flags: {}, env: {}, cwd: workspace() });

describe('a command line', () => {
  test('serves, where no command is given', () => {
    expect(parseArguments([])).toEqual({ command: 'serve', flags: {} });
  });

  test('gives its flags to the configuration', () => {
    const argv = [
      'check-config',
      '-c',
      'x.yaml',
      '--listen',
      'a:1',
      '--listen=b:2',
      '--upstream',
      'u',
      '--profile=p',
    ];
    expect(parseArguments(argv)).toEqual({
      command: 'check-config',
      flags: { config: 'x.yaml', listen: ['a:1', 'b:2'], upstream: 'u', profile: 'p' },
    });
  });

  test('--help and --version are understood everywhere', () => {
    for (const command of [[], ['serve'], ['check-config'], ['graph']]) {
      expect(parseArguments([...command, '--help'])).toEqual({ command: 'help' });
      expect(parseArguments([...command, '-v'])).toEqual({ command: 'version' });
      expect(parseArguments([...command, '-V'])).toEqual({ command: 'version' });
    }
    expect(parseArguments(['help'])).toEqual({ command: 'help' });
    expect(parseArguments(['help', 'serve'])).toEqual({ command: 'help' });
    expect(parseArguments(['version'])).toEqual({ command: 'version' });
  });

  test.each([
    [['run'], 'unknown command "run"'],
    [['versoin'], 'unknown command "versoin", did you mean version?'],
    [['serv'], 'unknown command "serv", did you mean serve?'],
    [['chek-config'], 'unknown command "chek-config", did you mean check-config?'],
    [['--lisen', 'x'], 'unknown flag --lisen, did you mean --listen?'],
    [['--upstrem=x'], 'unknown flag --upstrem, did you mean --upstream?'],
    [['check-config', '--confg', 'x'], 'unknown flag --confg, did you mean --config?'],
    [['--zzz'], 'unknown flag --zzz'],
    [['-x'], 'unknown flag -x'],
    [['--listen'], "Option '--listen <value>' argument missing"],
    [['serve', 'now'], 'serve takes no argument "now"'],
    [['graph', '--format', 'tree'], 'graph is not yet supported'],
    [['explain', 'DELETE FROM t'], 'explain is not yet supported'],
    [['-c', 'x', 'doctor'], 'doctor is not yet supported'],
  ])('%j is refused in words', (argv, message) => {
    expect(parseArguments(argv)).toEqual({ command: 'refuse', message: expect.stringContaining(message) });
  });
});

/** Runs `main` in this process. The lines are those of both streams; signals are sent with `process.emit`. */
function run(
  argv: readonly string[],
  startApp: Io['startApp'] = async () => app(),
  env: Io['env'] = {},
  cwd = workspace(),
) {
  const process = new EventEmitter();
  const written: string[] = [];
  const output = (stream: string) => ({
    write: (text: string) => written.push(`${stream}: ${text.trimEnd()}`),
  });
  const signals = new Signals(process, (code) => written.push(`exit: ${code}`));
  const io = {
    env,
    cwd,
    stdout: output('out'),
    stderr: output('err'),
    process,
    signals,
    startApp,
  };
  return { code: main(argv, io), process, written };
}

const app = (drain = async () => {}) => ({
  addresses: [],
  admin: undefined,
  drain,
  reload: async () => ({ kind: 'applied', changed: [], restart: [] }) as const,
  banner: () => 'ready',
});

describe('check-config', () => {
  test('says what had a say, and gives 0', async () => {
    const { code, written } = run(['check-config', '--profile', 'postgres'], undefined, {
      PGCASCADE_LISTEN: 'localhost:1',
    });
    expect(await code).toBe(0);
    expect(written).toEqual(['out: configuration ok: PGCASCADE_LISTEN, --profile']);
  });

  test('says what is wrong on stderr, and gives 2', async () => {
    const { code, written } = run(['check-config', '--profile', 'x']);
    expect(await code).toBe(2);
    expect(written).toEqual(['err: --profile: "x" is not one of auto, postgres, postgres-like']);
  });

  test('reads the file of users, and warns of one that others can read', async () => {
    const file = (text: string) => join(workspace({ users: text }), 'users');
    const check = (users: string) =>
      run(['check-config'], undefined, { PGCASCADE_AUTH_MODE: 'proxy', PGCASCADE_AUTH_USERS: users });
    const [good, bad] = [file('"ann" "hush"'), file('; users\nann hush')];
    chmodSync(good, 0o644);
    const warned = check(good);
    expect(await warned.code).toBe(0);
    expect(warned.written).toEqual([
      expect.stringMatching(/^err: warning: auth.users: .* can be read or written by every user/),
      'out: configuration ok: PGCASCADE_AUTH_MODE, PGCASCADE_AUTH_USERS',
    ]);
    const refused = check(bad);
    expect(await refused.code).toBe(2);
    expect(refused.written).toEqual([
      `err: ${bad}:2: is not of the form "name" "secret", each in double quotes`,
    ]);
  });
});

describe('serve', () => {
  test('does not start on a wrong configuration, and gives 2', async () => {
    const { code } = run(['serve', '--listen', 'x'], () => Promise.reject(new Error('started')));
    expect(await code).toBe(2);
  });

  test('does not start on a file of users that cannot be used, and gives 2', async () => {
    const { code, written } = run([], startApp, {
      PGCASCADE_AUTH_MODE: 'proxy',
      PGCASCADE_AUTH_USERS: '/nowhere/users',
    });
    expect(await code).toBe(2);
    expect(written.at(-1)).toBe('err: auth.users: /nowhere/users cannot be read: no such file or directory');
  });

  test('says why it cannot start, and gives 1', async () => {
    const { code, written } = run([], () => Promise.reject(new Error('no memory')));
    expect(await code).toBe(1);
    expect(written).toEqual([expect.stringContaining('cannot start: no memory')]);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('%s drains, then gives %d', async (signal, expected) => {
    let drained = false;
    const { code, process, written } = run([], async () =>
      app(async () => {
        drained = true;
      }),
    );
    await tick();
    expect(written).toEqual(['out: ready']);
    process.emit(signal);
    expect(await code).toBe(expected);
    expect(drained).toBe(true);
  });

  test('SIGHUP has the configuration read again, during the start as soon as that is over', async () => {
    let reloads = 0;
    const reload = async () => {
      reloads++;
      return { kind: 'refused', reason: '' } as const;
    };
    const { code, process } = run([], async () => ({ ...app(), reload }));
    process.emit('SIGHUP');
    process.emit('SIGHUP');
    expect(reloads).toBe(0);
    await tick();
    expect(reloads).toBe(1);
    process.emit('SIGHUP');
    expect(reloads).toBe(2);
    process.emit('SIGTERM');
    process.emit('SIGHUP');
    expect(await code).toBe(143);
    expect(reloads).toBe(2);
  });

  test('reads flags, variables and file again as at the start', async () => {
    const cwd = workspace({ 'pgcascade.yaml': 'cascade: { mode: off }' });
    let read: StartOptions['read'];
    const { process } = run(
      ['--upstream', 'postgres://db'],
      async (_config, _log, options) => {
        read = options.read;
        return app();
      },
      { PGCASCADE_GRAPH_REFRESH: '7s' },
      cwd,
    );
    await tick();
    expect(read?.()).toMatchObject({
      cascade: { mode: 'off' },
      graph: { refresh: 7000 },
      upstream: { name: 'db:5432' },
    });
    writeFileSync(join(cwd, 'pgcascade.yaml'), 'cascade: { mode: on }');
    expect(read?.()).toMatchObject({
      cascade: { mode: 'on' },
      graph: { refresh: 7000 },
      upstream: { name: 'db:5432' },
    });
    writeFileSync(join(cwd, 'pgcascade.yaml'), 'cascade: { mode: of }');
    expect(read).toThrow('pgcascade.yaml:1: cascade.mode: "of" is not one of on, off');
    process.emit('SIGTERM');
  });

  test('who asks for the end over HTTP gets it, with 0', async () => {
    let quit: StartOptions['quit'];
    const { code } = run([], async (_config, _log, options) => {
      quit = options.quit;
      return app();
    });
    await tick();
    quit?.();
    expect(await code).toBe(0);
  });

  test.each(['SIGUSR1', 'SIGUSR2'])('%s is logged, and ends nothing', async (signal) => {
    const { code, process, written } = run([]);
    process.emit(signal);
    await tick();
    process.emit(signal);
    expect(written.filter((line) => line.includes(`${signal} changes nothing`))).toHaveLength(2);
    process.emit('SIGTERM');
    expect(await code).toBe(143);
  });

  test('a second signal ends at once with the code of the first', async () => {
    const { code, process } = run([], async () => app(() => new Promise(() => {})));
    await tick();
    process.emit('SIGTERM');
    process.emit('SIGINT');
    expect(await code).toBe(143);
  });

  test('a signal during the start ends at once', async () => {
    const { code, process } = run([], () => new Promise(() => {}));
    process.emit('SIGTERM');
    expect(await code).toBe(143);
  });

  test('gives 1 where draining fails', async () => {
    const { code, process } = run([], async () => app(() => Promise.reject(new Error('stuck'))));
    await tick();
    process.emit('SIGTERM');
    expect(await code).toBe(1);
  });

  test.each(['uncaughtException', 'unhandledRejection'])('%s is logged, and gives 1', async (event) => {
    const { code, process, written } = run([]);
    await tick();
    process.emit(event, new Error('a bug'));
    expect(await code).toBe(1);
    expect(written.at(-1)).toMatch(/^err: {"level":"fatal".*a bug/);
  });
});

/** All that is resolved already has gone through. */
const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('a start that fails', () => {
  test('names the address that is taken and the key to change', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const failed = createServer().listen(port, '127.0.0.1');
    const [error] = await once(failed, 'error');
    taken.close();

    const at = `127.0.0.1:${port}`;
    expect(startFailure(error, defaults())).toBe(
      `cannot listen on ${at}: another program does. End it, or choose another address with listen (--listen)`,
    );
    expect(startFailure(error, { ...defaults(), admin: { listen: at, quit: false } })).toContain(
      'PGCASCADE_ADMIN_LISTEN',
    );
  });

  test('names the host that has no address, and the key it is of', () => {
    const error = Object.assign(new Error(), { code: 'ENOTFOUND', hostname: 'h.invalid' });
    const reason = 'cannot listen on h.invalid: no address is known for the name. Choose another with';
    const listened = { ...defaults(), listen: ['h.invalid:1'] };
    expect(startFailure(error, listened)).toBe(`${reason} listen (--listen)`);
    expect(startFailure(error, defaults())).toBe(`${reason} admin.listen (PGCASCADE_ADMIN_LISTEN)`);
  });

  test('names a file where a socket directory should be', async () => {
    const path = join(workspace({ file: '' }), 'file');
    const error = await mkdir(path, { recursive: true }).catch((it: unknown) => it);
    expect(startFailure(error, defaults())).toContain(`cannot listen in ${path}: it is not a directory`);
  });

  test('names a socket directory that is not there', async () => {
    const failed = createServer().listen('/no/such/.s.PGSQL.6432');
    const [error] = await once(failed, 'error');
    expect(startFailure(error, defaults())).toMatch(
      /^cannot listen on \/no\/such\/.s.PGSQL.6432: not permitted/,
    );
  });
});

// `npm test` builds first.
describe('the built program', () => {
  test('knows the version of its package', async () => {
    const { version } = createRequire(import.meta.url)('../package.json');
    expect(await execute(program, ['--version'])).toMatchObject({
      code: 0,
      stdout: `pgcascade ${version}\n`,
    });
  });

  test('runs through the symbolic link that npm makes, and without its suffix', async () => {
    const link = join(workspace(), 'pgcascade');
    symlinkSync(program, link);
    for (const script of [link, program.replace(/\.js$/, '')]) {
      expect((await execute(script, ['--version'])).stdout).toMatch(/^pgcascade \d/);
    }
  });

  test('gives 2 and a word on stderr for bad usage', async () => {
    expect(await execute(program, ['fly'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'pgcascade: unknown command "fly"\nSee pgcascade --help.\n',
    });
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('prints its banner, reloads at SIGHUP, outlives SIGUSR1, and ends with %s', async (signal, expected) => {
    const argv = [program, '--listen', '127.0.0.1:0', '--upstream', 'postgres://127.0.0.1:1'];
    const env = { ...process.env, PGCASCADE_ADMIN_LISTEN: 'null' };
    const child = spawn(process.execPath, argv, {
      cwd: workspace(),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [banner] = await once(child.stdout, 'data');
    expect(String(banner)).toContain('127.0.0.1:');
    const log = createInterface(child.stderr);
    // Without a listener the first and the last would end it, and the second open a debugger.
    for (const [harmless, said] of [
      ['SIGHUP', 'are read again: no key has changed'],
      ['SIGUSR1', 'SIGUSR1 changes nothing'],
      ['SIGUSR2', 'SIGUSR2 changes nothing'],
    ] as const) {
      child.kill(harmless);
      for await (const [line] of on(log, 'line')) {
        expect(line).not.toContain('Debugger');
        if (line.includes(said)) break;
      }
    }
    child.kill(signal);
    const [code] = await once(child, 'exit');
    expect(code).toBe(expected);
  });
});

function execute(script: string, argv: readonly string[]) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [script, ...argv], { cwd: workspace() }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}
