/** The metrics that there are, those in docs/running.md and those on the dashboard are the same. */
import { expect, test } from 'vitest';
import { Metrics } from '../../src/observe/metrics.js';
import { RETRY_REASONS } from '../../src/session/execute/outcome.js';
import { read } from './documents.js';

/** Every metric, with what it is called in a query. */
async function metricNames(): Promise<{ own: readonly string[]; queried: ReadonlySet<string> }> {
  const metrics = new Metrics({
    version: '',
    sessions: () => [],
    traffic: () => ({ fromClients: 0, toClients: 0 }),
    graphs: () => [],
    caches: () => [],
  });
  metrics.addProcess();
  const types = [...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => ({
    name,
    type,
  }));
  const queried = types.flatMap(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  const own = types.map(({ name }) => name).filter((name) => name.startsWith('pgcascade_'));
  return { own, queried: new Set(queried) };
}

test('docs/running.md has every metric, and no other', async () => {
  const [, table = ''] = /<!-- metrics -->([\s\S]*)<!-- \/metrics -->/.exec(read('docs/running.md')) ?? [];
  const described = [...table.matchAll(/`(pgcascade_\w+)`/g)].map(([, name]) => name);
  const cells = [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  const { own } = await metricNames();
  expect(cells.sort()).toEqual([...own].sort());
  expect(described.filter((name) => !own.includes(name ?? ''))).toEqual([]);
});

test('docs/running.md has every reason to try again', () => {
  const row = /^\| `pgcascade_retries_total` \|.*$/m.exec(read('docs/running.md'))?.[0] ?? '';
  const told = [...row.matchAll(/`([a-z]+[A-Z]\w*)`/g)].map(([, name]) => name);
  expect(told.sort()).toEqual([...RETRY_REASONS].sort());
});

test('each query of the dashboard names metrics that exist, and all of the program’s own are on it', async () => {
  const { panels } = JSON.parse(read('examples/grafana.json')) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  };
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const { own, queried } = await metricNames();
  const named = queries.map((expr) => expr.match(/\b(?:pgcascade|process|nodejs)_\w+/g) ?? []);
  expect(queries.filter((_, i) => named[i]?.length === 0)).toEqual([]);
  expect(named.flat().filter((name) => !queried.has(name))).toEqual([]);
  const shown = new Set(named.flat().map((name) => name.replace(/_(bucket|sum|count)$/, '')));
  expect(own.filter((name) => !shown.has(name))).toEqual([]);
});
