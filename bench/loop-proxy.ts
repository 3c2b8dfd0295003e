/** A pgcascade in a process of its own that tells how long its event loop stood still: `fork` it with the upstream's URL. */
import { readFileSync } from 'node:fs';
import { startApp } from '../src/app.js';
import { configSchema } from '../src/config/schema.js';
import { createLogger } from '../src/observe/log.js';

const [upstream] = process.argv.slice(2);
const config = configSchema.parse({ listen: '127.0.0.1:0', upstream, admin: null });
const log = createLogger({ level: 'warn', format: 'json' }, { write: (line) => process.stderr.write(line) });
const { addresses } = await startApp(config, log);

/** Milliseconds that this thread has had a processor: on a busy machine the clock tells more of others. Linux alone says. */
const processor = () => {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
};

let last = { clock: performance.now(), processor: processor() };
let longest = { clock: 0, processor: 0 };
const look = () => {
  const now = { clock: performance.now(), processor: processor() };
  longest = {
    clock: Math.max(longest.clock, now.clock - last.clock),
    processor: Math.max(longest.processor, now.processor - last.processor),
  };
  last = now;
};
setInterval(look, 1);

// Each message asks for the longest block since the one before, by the clock and on the processor.
process.on('message', () => {
  look();
  process.send?.(longest);
  longest = { clock: 0, processor: 0 };
});
process.once('disconnect', () => process.exit());
process.send?.(addresses[0]);
