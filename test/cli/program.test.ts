import { execFile, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { workspace } from '../config/workspace.js';
import { watched } from '../support/unlogged.js';

const program = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

// `npm test` builds first.
describe('the built program', () => {
  test('knows the version of its package', async () => {
    const { version } = createRequire(import.meta.url)('../../package.json');
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
    const log = createInterface(watched(child).stderr);
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
    const options = { cwd: workspace() };
    const program = execFile(process.execPath, [script, ...argv], options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
    watched(program);
  });
}
