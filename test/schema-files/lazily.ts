/** A program: starts a proxy with the schema file that it is given, as JSON, and prints which files of node-sql-parser are loaded. */
import { createRequire } from 'node:module';
import { startApp } from '../../src/app.js';
import { configSchema } from '../../src/config/schema.js';
import { createLogger } from '../../src/observe/log.js';

const config = configSchema.parse({
  listen: '127.0.0.1:0',
  upstream: 'postgres://127.0.0.1:1',
  admin: null,
  cascade: { files: [JSON.parse(process.argv[2] ?? '')] },
});
const app = await startApp(config, createLogger({ level: 'silent', format: 'json' }, process.stderr));
const loaded = Object.keys(createRequire(import.meta.url).cache);
process.stdout.write(String(loaded.filter((path) => path.includes('node-sql-parser')).length));
await app.drain();
