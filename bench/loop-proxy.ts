/** A pgcascade in a process of its own that tells how long its event loop stood still: `fork` it with the upstream's URL. */
import { startApp } from '../src/app.js';
import { configSchema } from '../src/config/schema.js';
import { createLogger } from '../src/observe/log.js';
import { processorTimeOf } from '../test/support/processor-time.js';

const [upstream] = process.argv.slice(2);
const config = configSchema.parse({ listen: '127.0.0.1:0', upstream, admin: null });
const log = createLogger({ level: 'warn', format: 'json' }, { write: (line) => process.stderr.write(line) });
const { addresses } = await startApp(config, log);

// On a busy machine the clock tells more of others.
const processor = () => processorTimeOf(process.pid).worked;

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
