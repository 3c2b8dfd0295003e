/** Clients, backends and the proxy are killed while a cascade over 200,000 rows runs, or waits for the last of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { query } from '../support/frontend-messages.js';
import { untilBlocked } from '../support/server-sessions.js';
import { until } from '../support/until.js';
import { found, leftOf } from './families.js';
import { Figures } from './figures.js';
import type { Campaign } from './fuzz.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';

/** Ids of people are made of the org's: the greatest has to be an int. */
const FIRST = 1001;
const PEOPLE = 100_000;
/** A cascade takes about so long, in milliseconds: it is hit at any moment of it. */
const MOST_DELAY = 200;
/** With the lock it is hit in its middle for sure, without one while it works. */
const KINDS = ['waits', 'works'] as const;
const VICTIMS = ['client', 'backend', 'proxy'] as const;

export async function killRunning(scene: Scene, { seed, cases, first = 0 }: Campaign): Promise<Figures> {
  const figures = new Figures('kills of running cascades');
  const locker = await scene.database.connect();
  for (let each = first; each < first + cases; each++) {
    const random = new Random(seed * 1_000_003 + each);
    const [org, victim, kind] = [FIRST + each, random.pick(VICTIMS), KINDS[each % 2] ?? 'works'];
    await found(scene.watcher, org, 1, PEOPLE);
    await locker.query('BEGIN');
    // The row that the cascade comes to last: all others are deleted by then.
    if (kind === 'waits')
      await locker.query('SELECT FROM person WHERE id = $1 FOR UPDATE', [PEOPLE * (2 * org + 2) - 1]);
    const client = await scene.login();
    client.send(query(`DELETE FROM org WHERE id = ${org}`));
    const pid = kind === 'waits' ? (await untilBlocked(scene.watcher))[0] : await untilRunning(scene);
    if (kind === 'works') await pause(random.below(MOST_DELAY));
    if (victim === 'client') client.leave(random.pick(['reset', 'close']));
    else if (victim === 'backend') await scene.watcher.query('SELECT pg_terminate_backend($1)', [pid]);
    else await scene.restartProxy();
    client.leave('close');
    // Nobody is left to stop what a dead proxy has begun: it waits on, and is done as a whole.
    if (victim !== 'proxy') await scene.untilNothingIsOpenSoon(1);
    await locker.query('ROLLBACK');
    await scene.untilNothingIsOpen(1);
    const left = (await leftOf(scene.watcher, org, 1, PEOPLE)).get(org) ?? 'partial';
    const wholeForSure = kind === 'waits' && victim !== 'proxy';
    figures.add(`${victim} killed while it ${kind}, the family is ${left}`);
    if (left === 'partial' || (wholeForSure && left !== 'whole'))
      figures.addDefects(`seed ${seed}, case ${each}`, [`a ${victim} was killed, and the family is ${left}`]);
    await scene.watcher.query('TRUNCATE org, team, person, note, contract');
  }
  await locker.end();
  return figures;
}

async function untilRunning({ watcher }: Scene): Promise<number> {
  const sql = `SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND query LIKE '%person%' AND pid <> pg_backend_pid()`;
  let pid: number | undefined;
  await until('the cascade runs', async () => {
    pid = (await watcher.query(sql)).rows[0]?.pid;
    return pid !== undefined;
  });
  return pid ?? 0;
}
