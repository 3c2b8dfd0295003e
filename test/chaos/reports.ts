/** What a program under test tells of itself. */
import { fileURLToPath } from 'node:url';
import { builtProgram, type ProxyProgram } from '../support/proxy-program.js';

/** In bytes, after a garbage collection. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** How late the event loop was, in milliseconds: the median of its turns, what the slowest hundredth reaches, and the most. */
export interface Lateness {
  readonly median: number;
  readonly hundredth: number;
  readonly most: number;
}

/** With these arguments of Node's a program answers `memoryOf` and `latenessOf`. */
export const REPORTS = [
  '--expose-gc',
  '--import',
  fileURLToPath(new URL('../test/chaos/reporter.js', builtProgram())),
];

export async function memoryOf(proxy: ProxyProgram): Promise<Memory> {
  return (await proxy.process.ask('memory')) as Memory;
}

/** Since it was asked for its memory, or else since its start. */
export async function latenessOf(proxy: ProxyProgram): Promise<Lateness> {
  return (await proxy.process.ask('lateness')) as Lateness;
}
