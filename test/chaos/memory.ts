import { fileURLToPath } from 'node:url';
import { builtProgram, type ProxyProgram } from '../support/proxy-program.js';

/** In bytes, behind a garbage collection. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** With these arguments of Node's a program answers `memoryOf`. */
export const REPORTS_MEMORY = [
  '--expose-gc',
  '--import',
  fileURLToPath(new URL('../test/chaos/memory-reporter.js', builtProgram())),
];

export async function memoryOf(proxy: ProxyProgram): Promise<Memory> {
  return (await proxy.process.ask('memory')) as Memory;
}
