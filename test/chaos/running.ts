/** Clients, backends and the proxy are killed, and connections cut, while a cascade over 200,000 rows runs. */
import { setTimeout as pause } from 'node:timers/promises';
import { query } from '../support/frontend-messages.js';
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
const VICTIMS = ['client', 'backend', 'proxy'] as const;

export async function killRunning(scene: Scene, { seed, cases, first = 0 }: Campaign): Promise<Figures> {
  const figures = new Figures('kills of running cascades');
  for (let each = first; each < first + cases; each++) {
    const random = new Random(seed * 1_000_003 + each);
    const [org, victim] = [FIRST + each, random.pick(VICTIMS)];
    await found(scene.watcher, org, 1, PEOPLE);
    const client = await scene.login();
    client.send(query(`DELETE FROM org WHERE id = ${org}`));
    const pid = await untilRunning(scene);
    await pause(random.below(MOST_DELAY));
    if (victim === 'client') client.leave(random.pick(['reset', 'close']));
    else if (victim === 'backend') await scene.watcher.query('SELECT pg_terminate_backend($1)', [pid]);
    else await scene.restartProxy();
    client.leave('close');
    await scene.untilNothingIsOpen();
    const left = (await leftOf(scene.watcher, org, 1, PEOPLE)).get(org) ?? 'partial';
    figures.add(`${victim} killed, the family is ${left}`);
    if (left === 'partial')
      figures.addDefects(`seed ${seed}, case ${each}`, [`a ${victim} was killed, and the family is partial`]);
    await scene.watcher.query('TRUNCATE org, team, person, note, contract');
  }
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
