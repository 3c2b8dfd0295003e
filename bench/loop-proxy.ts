/** A pgcascade in a process of its own that tells how long its event loop stood still: `fork` it with the upstream's URL. */
import { startApp } from '../src/app.js';
import { configSchema } from '../src/config/schema.js';
import { createLogger } from '../src/observe/log.js';

const [upstream] = process.argv.slice(2);
const config = configSchema.parse({ listen: '127.0.0.1:0', upstream, admin: null });
const log = createLogger({ level: 'warn', format: 'json' }, { write: (line) => process.stderr.write(line) });
const { addresses } = await startApp(config, log);

let last = performance.now();
let longest = 0;
const look = () => {
  const now = performance.now();
  longest = Math.max(longest, now - last);
  last = now;
};
setInterval(look, 1);

// Each message asks for the longest block since the one before.
process.on('message', () => {
  look();
  process.send?.(longest);
  longest = 0;
});
process.once('disconnect', () => process.exit());
process.send?.(addresses[0]);
