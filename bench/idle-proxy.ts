/** A pgcascade in a process of its own that tells how much memory it takes: `fork` it with its configuration, and --expose-gc. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startApp } from '../src/app.js';
import { configSchema } from '../src/config/schema.js';
import { createLogger } from '../src/observe/log.js';

/** In bytes. */
export interface Memory {
  /** What the system has given to the process. */
  readonly resident: number;
  /** What JavaScript uses of it: objects, and buffers outside of the heap. */
  readonly used: number;
}

const config = configSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
const log = createLogger({ level: 'warn', format: 'json' }, { write: (line) => process.stderr.write(line) });
const { addresses } = await startApp(config, log);

async function memory(): Promise<Memory> {
  // What is freed by one collection lets others be freed by the next.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, used: heapUsed + external };
}

// Each message asks for the memory.
process.on('message', () => memory().then((told) => process.send?.(told)));
process.once('disconnect', () => process.exit());
process.send?.(addresses[0]);
