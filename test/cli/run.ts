import { EventEmitter } from 'node:events';
import type { Io } from '../../src/cli/io.js';
import { main } from '../../src/cli/main.js';
import { Signals } from '../../src/cli/signals.js';
import { workspace } from '../config/workspace.js';
import { failWhereLogged } from '../support/unlogged.js';

/** Runs `main` in this process. The lines are those of both streams; signals are sent with `process.emit`. */
export function run(
  argv: readonly string[],
  startApp: Io['startApp'] = async () => app(),
  env: Io['env'] = {},
  cwd = workspace(),
) {
  const process = new EventEmitter();
  const written: string[] = [];
  const output = (stream: string) => ({
    write(text: string) {
      failWhereLogged(text);
      written.push(`${stream}: ${text.trimEnd()}`);
    },
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

/** What `serve` starts, in the place of a proxy. */
export const app = (drain = async () => {}) => ({
  addresses: [],
  admin: undefined,
  drain,
  reload: async () => ({ kind: 'applied', changed: [], restart: [] }) as const,
  banner: () => 'ready',
});
