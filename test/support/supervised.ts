import { spawn } from 'node:child_process';
import type { runAs } from './account.js';

/** A server program that cannot outlive this process. */
export interface Supervised {
  /** Waits until the program's standard error has this text. @throws with the log, when it exits or is too slow. */
  hasLogged(text: string): Promise<void>;
  /** The end of what it wrote to standard error. */
  log(): string;
  /** Ends it by this signal, and waits until it is gone and its folder is removed. */
  stop(signal: 'INT' | 'QUIT'): Promise<void>;
}

// The shell lives as long as its standard input, a pipe that only this process holds: however this process ends, by
// SIGKILL too, the pipe closes, the server is ended and its folder is removed. No handler of our own could promise that.
const supervisor = `
folder=$1; shift
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ read -r signal <&3 || signal=QUIT; kill -s "$signal" "$server"; } 2>/dev/null & watcher=$!
wait "$server"; status=$?
kill "$watcher" 2>/dev/null
rm -rf "$folder"
exit "$status"`;

const keptLog = 16_000;
const patience = 60_000;

/** Starts `command`, which is over when this process is; `folder` is removed when the command has ended. */
export function supervise(
  command: readonly string[],
  folder: string,
  as: ReturnType<typeof runAs>,
): Supervised {
  const shell = spawn('/bin/sh', ['-c', supervisor, 'supervisor', folder, ...command], {
    ...as,
    stdio: ['pipe', 'ignore', 'pipe'],
    // A process group of its own: Ctrl-C on the terminal reaches us, and the server ends by what we do then.
    detached: true,
  });
  let log = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-keptLog);
  });
  // The pipe breaks when the server has ended by itself; that is told by `closed`.
  shell.stdin.on('error', () => {});
  shell.on('error', (error) => {
    log += error.message;
  });
  let ended = false;
  const closed = new Promise<void>((resolve) => {
    shell.on('close', () => {
      ended = true;
      resolve();
    });
  });

  return {
    log: () => log,
    async hasLogged(text) {
      await new Promise<void>((resolve, reject) => {
        const fail = (why: string) => reject(new Error(`${command[0]} ${why}. Its log ends:\n${log}`));
        const look = () => {
          if (log.includes(text)) finish(resolve);
          else if (ended) finish(() => fail('ended'));
        };
        const deadline = setTimeout(() => finish(() => fail(`did not say "${text}" in time`)), patience);
        const finish = (settle: () => void) => {
          clearTimeout(deadline);
          shell.stderr.off('data', look);
          settle();
        };
        shell.stderr.on('data', look);
        closed.then(look);
        look();
      });
    },
    async stop(signal) {
      if (!ended) shell.stdin.end(`${signal}\n`);
      await closed;
    },
  };
}
