import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pg from 'pg';
import { readAnswer } from '../src/graph/catalog/answer.js';
import { catalogQuestion } from '../src/graph/catalog/question.js';
import type { Graph } from '../src/graph/graph.js';
import { mergeGraph } from '../src/graph/merge.js';
import { AT_MOST, number, readOptions, UPSTREAM, type ValuesOf } from './options.js';
import { summarize, table } from './statistics.js';
import { openUpstream } from './upstream.js';

export const usage = `catalog: what the proxy's own questions cost, against an empty one: asked before a DELETE as graph.refresh says;
         and what the graph that is made of the catalog costs: its making, and its memory

  --tables N          tables (3000)
  --keys N            foreign keys among them (5000)
  --views N           views over them (2000)
  --rounds N          rounds, each with every question once (20)
  --upstream URL      a PostgreSQL reached without TLS; a database is made on it (by default: one of its own)
  --at-most RATIO     exit 1 when the median of fingerprint / catalog is above`;

const OPTIONS = {
  tables: number(3000, 1),
  keys: number(5000, 0),
  views: number(2000, 0),
  rounds: number(20, 1),
  upstream: UPSTREAM,
  'at-most': AT_MOST,
};

/**
 * What the fingerprint cannot take less than, as far as its rows go: it visits each row that the fingerprint counts once, and
 * looks up nothing.
 *
 *     SELECT (SELECT count(*) + sum(age(t.xmin)) FROM pg_constraint AS t WHERE …), (SELECT …), …
 */
const ROWS = `SELECT ${Object.entries({
  pg_constraint: "t.contype = 'f'",
  pg_attribute: 't.attnum > 0 AND t.attrelid >= 16384',
  pg_class: 't.oid >= 16384 AND hashname(t.relname) IS NOT NULL',
  pg_index: 't.indisunique AND t.indexrelid >= 16384',
  pg_rewrite: 't.oid >= 16384',
  pg_depend: "t.classid = 'pg_rewrite'::regclass AND t.objid >= 16384",
})
  .map(([catalog, rows]) => `(SELECT count(*) + sum(age(t.xmin)) FROM ${catalog} AS t WHERE ${rows})`)
  .join(', ')}`;

const nothing = { names: [], fingerprint: false, catalog: false, server: false };
const QUESTIONS = {
  'a name': catalogQuestion({ ...nothing, names: [{ schema: undefined, name: 't1' }] }, []),
  'its rows alone': ROWS,
  fingerprint: catalogQuestion({ ...nothing, fingerprint: true }, []),
  catalog: catalogQuestion({ ...nothing, fingerprint: true, catalog: true }, []),
};

/** Makes the schema, asks, and prints medians. Gives false when the ratio is above the one asked for. */
export async function catalog(args: string[]): Promise<boolean> {
  const options = readOptions(args, OPTIONS);
  const upstream = await openUpstream(options.upstream);
  const client = new pg.Client({ connectionString: upstream.url.href });
  try {
    await client.connect();
    for (const sql of schemaOf(options)) await client.query(sql);
    const times = new Map(Object.keys(QUESTIONS).map((name): [string, number[]] => [name, []]));
    for (let round = -1; round < options.rounds; round++)
      for (const [name, sql] of Object.entries(QUESTIONS)) {
        const start = performance.now();
        await client.query(sql);
        if (round >= 0) times.get(name)?.push(performance.now() - start);
      }
    const made = await making(client, options.rounds);
    const rows = [...times].map(([name, each]) => ({ name, ...summarize(each) }));
    const median = (name: string) => rows.find((row) => row.name === name)?.median ?? 0;
    const ratio = median('fingerprint') / median('catalog');
    const schema = `${options.tables} tables, ${options.keys} keys, ${options.views} views`;
    console.log(`${schema}; ${options.rounds} rounds; PostgreSQL ${upstream.version}`);
    console.log(
      table([
        ['', 'median', 'min', 'max'],
        ...rows.map(({ name, ...each }) => [
          `${name}, ms`,
          ...[each.median, each.min, each.max].map((ms) => ms.toFixed(2)),
        ]),
        ['the graph, ms', ...[made.each.median, made.each.min, made.each.max].map((ms) => ms.toFixed(2))],
        ['longest without a break, ms', '', '', made.longest.toFixed(2)],
        ['kept for each graph, MiB', (made.bytes / 2 ** 20).toFixed(2), '', ''],
        ['the same / bytes of the answer', (made.bytes / made.answer).toFixed(2), '', ''],
        ['fingerprint / catalog', ratio.toFixed(3), '', ''],
        [
          'fingerprint / its rows alone',
          (median('fingerprint') / median('its rows alone')).toFixed(2),
          '',
          '',
        ],
        ['fingerprint / a name', (median('fingerprint') / median('a name')).toFixed(1), '', ''],
      ]),
    );
    return ratio <= options['at-most'];
  } finally {
    await client.end();
    await upstream.close();
  }
}

/** Makes the graph as often as there are rounds, and keeps all of them. */
async function making(client: pg.Client, rounds: number) {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  const heap = () => {
    if (typeof collect === 'function') collect();
    return process.memoryUsage().heapUsed;
  };
  const graphs: Graph[] = [];
  const times: number[] = [];
  let [longest, answer, before] = [0, 0, 0];
  for (let round = -1; round < rounds; round++) {
    if (round === 0) before = heap();
    const { rows } = await client.query<{ answer: string }>(QUESTIONS.catalog);
    const sent = rows[0]?.answer ?? '';
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const start = performance.now();
    const { catalog: found } = await readAnswer(sent);
    const graph = found && (await mergeGraph(found, { declared: true, overrides: [], relations: [] }));
    const took = performance.now() - start;
    // What was late is counted when the timer comes at last.
    await new Promise((resolve) => setTimeout(resolve, 5));
    delay.disable();
    if (round < 0) continue;
    if (graph) graphs.push(graph);
    times.push(took);
    [longest, answer] = [Math.max(longest, delay.max / 1e6), sent.length];
  }
  return { each: summarize(times), longest, answer, bytes: (heap() - before) / graphs.length };
}

function schemaOf({ tables, keys, views }: ValuesOf<typeof OPTIONS>): readonly string[] {
  const loop = (count: number, format: string, values: string) => `DO $$ BEGIN
    FOR i IN 0 .. ${count - 1} LOOP EXECUTE format('${format}', ${values}); END LOOP; END $$`;
  const parents = 'p0 int, p1 int, p2 int, p3 int';
  return [
    loop(tables, `CREATE TABLE t%s (id int PRIMARY KEY, ${parents}, name text, at timestamptz)`, 'i'),
    loop(
      keys,
      'ALTER TABLE t%s ADD FOREIGN KEY (p%s) REFERENCES t%s ON DELETE CASCADE',
      `i % ${tables}, (i / ${tables}) % 4, (i * 7 + 1) % ${tables}`,
    ),
    loop(views, 'CREATE VIEW v%s AS SELECT id, name FROM t%s', `i, i % ${tables}`),
    'VACUUM ANALYZE',
  ];
}
