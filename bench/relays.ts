import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { freePort } from '../test/support/free-port.js';

/** A relay in a process of its own, accepting on a loopback port. */
export interface Relay {
  readonly port: number;
  stop(): Promise<void>;
}

const patience = 30_000;

/** Starts the relay that only pipes. */
export async function startBareRelay(upstream: URL): Promise<Relay> {
  const port = await freePort();
  const program = fileURLToPath(new URL('bare-relay.js', import.meta.url));
  return start(port, [program, String(port), upstream.hostname, upstream.port || '5432'], {});
}

/** Starts pgcascade as a user would. */
export async function startPgcascade(upstream: URL): Promise<Relay> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const program = fileURLToPath(new URL('../cli.js', import.meta.url));
  const toUpstream = `postgres://${upstream.hostname}:${upstream.port || '5432'}?sslmode=disable`;
  const flags = ['serve', '--upstream', toUpstream, '--listen', `127.0.0.1:${port}`];
  // The default port of the admin listener may belong to another pgcascade on this machine.
  return start(port, [program, ...flags], { PGCASCADE_ADMIN_LISTEN: `127.0.0.1:${adminPort}` });
}

async function start(port: number, command: string[], env: Record<string, string>): Promise<Relay> {
  const child = spawn(process.execPath, command, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    kill();
    await ended;
    process.off('exit', kill);
  };
  try {
    await accepting(child, command, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, stop };
}

/** Waits until the port answers, trying again whenever the process says something. */
function accepting(child: ChildProcess, command: string[], port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string) => {
      clearTimeout(deadline);
      reject(new Error(`node ${command.join(' ')}: ${why}. It said:\n${output}`));
    };
    const deadline = setTimeout(() => fail(`port ${port} does not answer`), patience);
    const heard = (text: Buffer) => {
      output = (output + text.toString()).slice(-4000);
      const probe = connect(port, '127.0.0.1', () => {
        clearTimeout(deadline);
        probe.destroy();
        resolve();
      });
      // Not listening yet: what it says next is the next occasion.
      probe.on('error', () => {});
    };
    child.stdout?.on('data', heard);
    child.stderr?.on('data', heard);
    child.once('error', (error) => fail(error.message));
    child.once('close', (status) => fail(`ended with status ${status}`));
  });
}
