/** How long SELECT 1 takes through the proxy and directly, in turn, while others work. */
import { setTimeout } from 'node:timers/promises';
import type { Stage } from './stage.js';

/** Between two pairs, in milliseconds. */
const PAUSE = 50;

/** @returns the slowest hundredth of each way, in milliseconds */
export async function latencies(stage: Stage, milliseconds: number) {
  const [proxy, direct] = [stage.client('proxy'), stage.client('direct')];
  await Promise.all([proxy.connect(), direct.connect()]);
  const took: Record<'proxy' | 'direct', number[]> = { proxy: [], direct: [] };
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    for (const [way, client] of [['proxy', proxy] as const, ['direct', direct] as const]) {
      const start = performance.now();
      await client.query('SELECT 1');
      took[way].push(performance.now() - start);
    }
    await setTimeout(PAUSE);
  }
  await Promise.all([proxy.end(), direct.end()]);
  return { proxy: hundredth(took.proxy), direct: hundredth(took.direct) };
}

function hundredth(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.ceil(sorted.length * 0.99), sorted.length) - 1] ?? Number.NaN;
}
