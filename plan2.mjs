import pg from 'pg';
import { readFileSync } from 'node:fs';
import { startPostgres } from './test/support/postgres.ts';
const s = await startPostgres({config:{io_method:'sync'}});
const c = new pg.Client({connectionString: s.url('postgres')}); await c.connect();
await c.query('CREATE TABLE orgs (id int PRIMARY KEY, data text); CREATE TABLE users (id int PRIMARY KEY, org int REFERENCES orgs ON DELETE CASCADE NOT ENFORCED); CREATE TABLE bills (id int PRIMARY KEY, org int REFERENCES orgs NOT ENFORCED)');
const cpu = (pid) => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8'); const r = f.slice(f.lastIndexOf(')') + 2).split(' '); return [+r[11] * 10, +r[12] * 10, +r[7]]; };
const texts = { none: null, one: 'SELECT 1', cat: readFileSync('/tmp/q/cat.sql', 'utf8'), fp: readFileSync('/tmp/q/fp.sql', 'utf8') };
const N = 24;
for (const [name, sql] of Object.entries(texts)) for (const sets of sql && name !== 'one' ? ['', 'SET join_collapse_limit = 1', 'SET enable_mergejoin=off; SET join_collapse_limit = 1; SET enable_hashjoin = on'] : ['']) {
  const sum = [0, 0, 0], rep = [0, 0, 0];
  for (let i = 0; i < N; i++) {
    const d = new pg.Client({connectionString: s.url('postgres')}); await d.connect();
    const pid = (await d.query('SELECT pg_backend_pid() AS p' )).rows[0].p;
    if (sets) await d.query(sets);
    if (sql) await d.query(sql);
    cpu(pid).forEach((v, k) => { sum[k] += v; });
    if (sql) { for (let j = 0; j < 4; j++) await d.query(sql); }
    cpu(pid).forEach((v, k) => { rep[k] += v; });
    await d.end();
  }
  console.log(name, sets, 'first user+sys ms, faults', sum.map((v) => (v / N).toFixed(1)).join(' '), ' each again', rep.map((v, k) => ((v - sum[k]) / N / 4).toFixed(1)).join(' '));
}
await c.end(); await s.stop();
