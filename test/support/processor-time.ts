/** How much of a processor a process has had, and how long it wanted one: what a busy machine adds is told from what the process does. */
import { readFileSync } from 'node:fs';

export interface ProcessorTime {
  /** Milliseconds for which its main thread has had a processor. */
  readonly worked: number;
  /** Milliseconds for which that thread could have gone on, and others had the processors. */
  readonly waited: number;
}

/** So far, as Linux counts it (sched-stats.rst). NaN where the system does not tell, or the process is gone. */
export function processorTimeOf(pid: number | undefined): ProcessorTime {
  try {
    const [worked, waited] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
    return { worked: (worked ?? Number.NaN) / 1e6, waited: (waited ?? Number.NaN) / 1e6 };
  } catch {
    return { worked: Number.NaN, waited: Number.NaN };
  }
}
