// `node --expose-gc --import` this file: whenever its parent asks, the program tells how much memory it uses after a collection, or
// how late its event loop has been.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION = 10;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();

function memory() {
  globalThis.gc();
  // That took the loop's time, and not for a client.
  delay.reset();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heapUsed, external };
}

/** In milliseconds, since memory was asked for, or else the start. What is recorded is the time between two looks. */
function lateness() {
  const late = (nanoseconds) => Math.max(nanoseconds / 1e6 - RESOLUTION, 0);
  return { median: late(delay.percentile(50)), hundredth: late(delay.percentile(99)), most: late(delay.max) };
}

process.on('message', (what) => process.send(what === 'memory' ? memory() : lateness()));
// To be asked is no reason to live.
process.channel.unref();
