#!/usr/bin/env node
/** The program. It takes signals before it loads the rest, which can last a second, and says why the rest cannot be loaded. */
import { Signals } from './cli/signals.js';
import { loadFailure } from './cli/start-failure.js';

const { argv, env, stdout, stderr } = process;
const signals = new Signals(process, (code) => process.exit(code));
// The reader of the output may end before the service does (`| head`): the service goes on without a reader.
for (const output of [stdout, stderr]) output.on('error', () => {});
try {
  const { main } = await import('./cli/main.js');
  const code = await main(argv.slice(2), {
    env,
    cwd: process.cwd(),
    stdout,
    stderr,
    process,
    signals,
    // Loaded late, so that --help and check-config do not wait for the parser and the embedded database.
    startApp: async (...given) => (await import('./app.js')).startApp(...given),
  });
  process.exit(code);
} catch (error) {
  stderr.write(`pgcascade: ${loadFailure(error)}\n`);
  process.exit(1);
}
