// The thread that PGlite runs in; engine.ts is its other end. Plain JavaScript, because a worker is loaded by Node itself,
// from the sources in tests and from dist, where the build copies it.
import { parentPort } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { initialData } from './initial-data.js';

const loadDataDir = initialData();
const pglite = await PGlite.create({
  ...(loadDataDir && { loadDataDir }),
  // PGlite sets search_path to public alone; PostgreSQL's own default is what applications expect.
  startParams: [...PGlite.defaultStartParams, '-c', 'search_path="$user", public'],
});

// An SQL error leaves PostgreSQL's main loop as an exception with this status (PGlite's POSTGRES_MAIN_LONGJMP). PGlite
// swallows every other one, a trap of the WebAssembly machine or a FATAL error, and then answers nothing, answers wrongly
// or spins for ever. They are a crash: the thread ends, and the engine says so.
const LONGJMP = 100;
for (const name of ['_PostgresMainLoopOnce', '_PostgresMainLongJmp']) {
  const original = pglite.Module[name];
  pglite.Module[name] = (...args) => {
    try {
      return original(...args);
    } catch (error) {
      if (error?.status !== LONGJMP) process.exit(1); // of a worker, this ends the thread only
      throw error;
    }
  };
}

parentPort.on('message', async (messages) => {
  const pieces = [];
  try {
    await pglite.execProtocolRawStream(messages, {
      syncToFs: false,
      onRawData: (bytes) => pieces.push(bytes.slice()), // a view into WebAssembly's memory: copy
    });
  } catch {
    process.exit(1);
  }
  const reply = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    reply.set(piece, at);
    at += piece.length;
  }
  parentPort.postMessage(reply, [reply.buffer]);
});

parentPort.postMessage('ready');
