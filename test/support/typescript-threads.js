// Lets a thread that is started from the sources load TypeScript. Vitest does so for tests, and not for threads.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (!isMainThread && process.argv[1]?.endsWith('.ts')) register('./typescript-hooks.js', import.meta.url);
