/** How long SELECT 1 takes while others work. */
import { setTimeout } from 'node:timers/promises';
import type { Stage, Way } from './stage.js';

/** Between two, in milliseconds. */
const PAUSE = 25;

/** @returns milliseconds, of each that was asked in so many milliseconds */
export async function latencies(stage: Stage, way: Way, milliseconds: number): Promise<number[]> {
  const client = stage.client(way);
  await client.connect();
  const took: number[] = [];
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    const start = performance.now();
    await client.query('SELECT 1');
    took.push(performance.now() - start);
    await setTimeout(PAUSE);
  }
  await client.end();
  return took;
}

/** The value that the slowest hundredth reaches. NaN of none. */
export function slowestHundredth(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}
