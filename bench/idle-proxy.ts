/** A pgcascade in a process of its own that tells how much memory it takes: `fork` it with its configuration. */
import { startApp } from '../src/app.js';
import { configSchema } from '../src/config/schema.js';
import { createLogger } from '../src/observe/log.js';
import { answerWithMemory } from '../test/support/settled-memory.js';

const config = configSchema.parse(JSON.parse(process.argv[2] ?? '{}'));
const log = createLogger({ level: 'warn', format: 'json' }, { write: (line) => process.stderr.write(line) });
const { addresses } = await startApp(config, log);
answerWithMemory();
process.once('disconnect', () => process.exit());
process.send?.(addresses[0]);
