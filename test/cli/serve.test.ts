import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type StartOptions, startApp } from '../../src/app.js';
import { workspace } from '../config/workspace.js';
import { app, run } from './run.js';

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

  test('takes no file that has become empty, or is gone, for one that says nothing: the keys that only it has would be gone too', async () => {
    const cwd = workspace({ 'pgcascade.yaml': 'cascade: { mode: off }' });
    const file = join(cwd, 'pgcascade.yaml');
    let read: StartOptions['read'];
    const start = async (_config: unknown, _log: unknown, options: StartOptions) => {
      read = options.read;
      return app();
    };
    const { process } = run([], start, {}, cwd);
    await tick();
    for (const text of ['', ' \n', '# pgcascade.yaml\n']) {
      writeFileSync(file, text);
      expect(read).toThrow(
        'pgcascade.yaml: has nothing in it any more: write {} where all is to be as by default',
      );
    }
    rmSync(file);
    expect(read).toThrow('pgcascade.yaml: cannot be read: no such file or directory');
    writeFileSync(file, '{}');
    expect(read?.()).toMatchObject({ cascade: { mode: 'on' } });
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
