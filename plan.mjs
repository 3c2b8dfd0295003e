import pg from 'pg';
import { readFileSync } from 'node:fs';
import { startPostgres } from './test/support/postgres.ts';
const s = await startPostgres({config:{io_method:'sync'}});
const c = new pg.Client({connectionString: s.url('postgres')}); await c.connect();
await c.query('CREATE TABLE orgs (id int PRIMARY KEY, data text); CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED); CREATE TABLE bills (id int PRIMARY KEY, org int REFERENCES orgs NOT ENFORCED)');
const time = async (c, sql) => { const t = process.hrtime.bigint(); await c.query(sql); return Number(process.hrtime.bigint() - t) / 1e6; };
async function fresh(sql, sets) { // first in a fresh session
  const d = new pg.Client({connectionString: s.url('postgres')}); await d.connect();
  if (sets) await d.query(sets);
  const t = await time(d, sql); const t2 = await time(d, sql); await d.end(); return [t, t2]; }
for (const f of ['cat', 'fp']) { const sql = readFileSync(`/tmp/q/${f}.sql`, 'utf8');
 for (const sets of ['', 'SET join_collapse_limit = 1', 'SET join_collapse_limit = 1; SET from_collapse_limit = 1', 'SET geqo_threshold = 2', 'SET enable_mergejoin=off; SET join_collapse_limit = 1', 'SET jit=off']) {
  let plan = 1e9, f1 = 1e9, f2 = 1e9, prep = 1e9;
  for (let i = 0; i < 25; i++) {
    await c.query('RESET ALL'); if (sets) await c.query(sets);
    const r = await c.query('EXPLAIN (SUMMARY) ' + sql); const m = /Planning Time: ([\d.]+)/.exec(r.rows.at(-1)['QUERY PLAN']); plan = Math.min(plan, +m[1]);
    prep = Math.min(prep, await time(c, 'PREPARE x AS ' + sql)); await c.query('DEALLOCATE x');
    const [a, b] = await fresh(sql, sets); f1 = Math.min(f1, a); f2 = Math.min(f2, b);
  }
  console.log(f, JSON.stringify(sets), 'plan', plan, 'analysis', prep.toFixed(2), 'fresh session', f1.toFixed(1), 'again', f2.toFixed(1));
 } }
await c.end(); await s.stop();
