// `node --import` this file, and the program gets the signal of SIGNAL_WHILE_LOADING while the modules of zod are loaded.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

// Hooks run in a thread of their own, which loads this file again.
if (isMainThread) register(import.meta.url);

export function load(url, context, next) {
  if (url.endsWith('/zod/index.js')) process.kill(process.pid, process.env.SIGNAL_WHILE_LOADING);
  return next(url, context);
}
