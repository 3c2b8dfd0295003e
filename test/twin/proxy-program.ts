/** pgcascade as a user starts it, in a process of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.js';
import type { TcpAddress } from '../support/postgres.js';

export interface ProxyProgram {
  readonly port: number;
  stop(): Promise<void>;
}

/** @param config the path of its configuration file */
export async function startProgram(upstream: TcpAddress, config: string): Promise<ProxyProgram> {
  const port = await freePort();
  const program = fileURLToPath(new URL('../../cli.js', import.meta.url));
  const to = `postgres://${upstream.host}:${upstream.port}?sslmode=disable`;
  const flags = ['serve', '--config', config, '--upstream', to, '--listen', `127.0.0.1:${port}`];
  const child = spawn(process.execPath, [program, ...flags], {
    env: { ...process.env, PGCASCADE_ADMIN_LISTEN: 'null' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  // Its first words are where it listens.
  await Promise.race([
    new Promise<void>((resolve) => child.stdout.once('data', () => resolve())),
    ended.then(() => Promise.reject(new Error('the proxy ended while it was started'))),
  ]);
  child.stdout.resume();
  return {
    port,
    async stop() {
      kill();
      await ended;
      process.off('exit', kill);
    },
  };
}
