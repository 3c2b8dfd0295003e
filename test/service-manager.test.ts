/** What the built program tells systemd, on a socket as systemd has one. `npm test` builds first. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { workspace } from './config/workspace.js';
import { watched } from './support/unlogged.js';

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** Prints each datagram as a line; lines within it are parted by a vertical bar. Node.js has no such socket. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(receiver.recv(65536).decode().strip().replace('\\n', '|'), flush=True)
`;

function has(...commands: readonly (readonly [string, string])[]): boolean {
  return commands.every(([command, argument]) => {
    try {
      execFileSync(command, [argument], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

function supervised(child: ChildProcess): ChildProcess {
  onTestFinished(() => void child.kill('SIGKILL'));
  return watched(child);
}

test.skipIf(!has(['python3', '--version'], ['systemd-notify', '--version']))(
  'python3 and systemd-notify: systemd is told of start, life, reload and end, in order',
  async () => {
    const directory = workspace();
    const socket = join(directory, 'notify');
    const receiver = supervised(spawn('python3', ['-c', RECEIVER, socket]));
    const lines = createInterface({ input: receiver.stdout ?? process.stdin })[Symbol.asyncIterator]();
    /** The next datagrams, without those that only mark how far the receiver is, up to one with this text. */
    const until = async (text: string) => {
      const came: string[] = [];
      for (;;) {
        const { value, done } = await lines.next();
        if (done) throw new Error(`the receiver ended after ${came.join('; ')}`);
        if (value !== 'BARRIER=1') came.push(value);
        if (value.includes(text)) return came;
      }
    };
    await until('bound');
    const child = supervised(
      spawn(process.execPath, [program, '--listen', '127.0.0.1:0', '--upstream', 'postgres://127.0.0.1:1'], {
        cwd: directory,
        env: {
          ...process.env,
          PGCASCADE_ADMIN_LISTEN: 'null',
          NOTIFY_SOCKET: socket,
          WATCHDOG_USEC: '400000',
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    );
    expect((await until('READY=1')).at(-1)).toMatch(/^READY=1\|STATUS=serving on 127\.0\.0\.1:\d+$/);
    await until('WATCHDOG=1');
    const before = process.hrtime.bigint() / 1000n;
    child.kill('SIGHUP');
    const [, since = ''] =
      /^RELOADING=1\|MONOTONIC_USEC=(\d+)$/.exec((await until('RELOADING')).at(-1) ?? '') ?? [];
    expect(BigInt(since) >= before).toBe(true);
    const reloaded = await until('READY=1');
    expect(reloaded.filter((line) => line !== 'WATCHDOG=1')).toHaveLength(1);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await until('STOPPING=1')).at(-1)).toBe('STOPPING=1|STATUS=draining');
    expect(await ended).toEqual([143, null]);
  },
);
