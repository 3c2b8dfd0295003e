/** A backend dies by SIGKILL: PostgreSQL ends all sessions, and starts anew. The proxy tells its clients, and serves again. */
import { query } from '../support/frontend-messages.js';
import { untilBlocked } from '../support/server-sessions.js';
import type { Client } from './client.js';
import { found, leftOf } from './families.js';
import { Figures } from './figures.js';
import type { Campaign } from './fuzz.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';

const FIRST = 7001;
/** How many a team has: few, and so many that a cascade has 200,000 rows. */
const PEOPLE = [2, 100_000] as const;
/** WARNING of a server that ends because another process of it has crashed; the proxy's word for a server that is gone. */
const ENDS = ['57P02', '08006'];

/** On a server that nobody else uses. */
export async function crash(scene: Scene, { seed, cases, first = 0 }: Campaign): Promise<Figures> {
  const figures = new Figures('crashes');
  for (let each = first; each < first + cases; each++) {
    const random = new Random(seed * 1_000_003 + each);
    const org = FIRST + 2 * each;
    // As the tests' server is set, what was committed last would be lost in the crash.
    await scene.watcher.query('SET synchronous_commit = on');
    const people = PEOPLE[each % 2] ?? 2;
    await found(scene.watcher, org, 2, people);
    const locker = await scene.database.connect();
    await locker.query('BEGIN');
    await locker.query('SELECT FROM person WHERE id = $1 FOR UPDATE', [people * (2 * org + 2) - 1]);
    const [waiting, inBlock, idle] = [await scene.login(), await scene.login(), await scene.login()];
    inBlock.send(query('BEGIN'), query(`DELETE FROM org WHERE id = ${org + 1}`));
    await inBlock.until('Z', 3);
    waiting.send(query(`DELETE FROM org WHERE id = ${org}`));
    const [blocked] = await untilBlocked(scene.watcher);
    const victim = random.pick(['that waits', 'that locks', 'that is idle']);
    const pid =
      victim === 'that waits'
        ? blocked
        : await pidOf(victim === 'that locks' ? 'idle in transaction' : 'idle', scene);
    if (pid === undefined) throw new Error(`there is no backend ${victim}`);
    process.kill(pid, 'SIGKILL');
    const clients = [waiting, inBlock, idle];
    await Promise.all(clients.map((client) => client.untilOver()));
    await scene.untilRestarted();
    const name = `seed ${seed}, case ${each}, a backend ${victim}`;
    const ends = clients.map(endOf);
    figures.add(`the backend ${victim}, ${people} people a team: ${[...new Set(ends)].sort().join(' and ')}`);
    if (ends.some((end) => !ENDS.includes(end))) figures.addDefects(name, [`clients were told ${ends}`]);
    const left = await leftOf(scene.watcher, org, 2, people);
    if ([...left.values()].some((state) => state !== 'whole'))
      figures.addDefects(name, [`the families are ${[...left.values()]}`]);
    figures.addDefects(name, await scene.defects());
    for (const client of clients) client.leave('close');
    await scene.watcher.query('TRUNCATE org, team, person, note, contract');
  }
  return figures;
}

async function pidOf(state: string, { watcher }: Scene): Promise<number | undefined> {
  const sql = `SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND state = $1 AND pid <> pg_backend_pid() ORDER BY pid LIMIT 1`;
  return (await watcher.query(sql, [state])).rows[0]?.pid;
}

/** The SQLSTATE of the last error or notice. */
function endOf({ messages }: Client): string {
  const last = messages.findLast(({ type }) => type === 'E' || type === 'N');
  return /\0C([0-9A-Z]{5})/.exec(last?.body.toString('latin1') ?? '')?.[1] ?? 'nothing';
}
