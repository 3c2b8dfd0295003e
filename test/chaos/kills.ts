/** Clients, backends and the proxy are killed while a cascade waits in its middle for a lock. */
import { query, run, sync } from '../support/frontend-messages.js';
import { untilBlocked } from '../support/server-sessions.js';
import { found, leftOf } from './families.js';
import { Figures } from './figures.js';
import type { Campaign } from './fuzz.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';

type Victim = 'client' | 'backend' | 'proxy';

/** A proxy takes as long to start as many clients take to be killed. */
const VICTIMS: readonly Victim[] = [
  ...Array<Victim>(10).fill('client'),
  ...Array<Victim>(9).fill('backend'),
  'proxy',
];
const FIRST = 10_000;

export async function kill(scene: Scene, { seed, cases, first = 0 }: Campaign): Promise<Figures> {
  const figures = new Figures('kills');
  const locker = await scene.database.connect();
  for (let each = first; each < first + cases; each++) {
    const random = new Random(seed * 1_000_003 + each);
    const [org, victim] = [FIRST + each, random.pick(VICTIMS)];
    await found(scene.watcher, org, 1);
    await locker.query('BEGIN');
    // The last row that the cascade comes to.
    await locker.query('SELECT FROM person WHERE id = $1 FOR UPDATE', [4 * org + 3]);
    const client = await scene.login();
    const cascade = `DELETE FROM org WHERE id = ${org}`;
    client.send(
      random.pick([
        query(cascade),
        Buffer.concat([run(cascade), sync]),
        Buffer.concat([query('BEGIN'), query(cascade), query('COMMIT')]),
      ]),
    );
    const [pid] = await untilBlocked(scene.watcher);
    if (victim === 'client') client.leave(random.pick(['reset', 'close']));
    else if (victim === 'backend') await scene.watcher.query('SELECT pg_terminate_backend($1)', [pid]);
    else await scene.restartProxy();
    // Nobody is left to stop what a dead proxy has begun: it waits on, and is done as a whole.
    if (victim !== 'proxy') await scene.untilNothingIsOpenSoon(1);
    await locker.query('ROLLBACK');
    await scene.untilNothingIsOpenSoon(1);
    if (victim !== 'client') await client.untilOver();
    client.leave('close');
    const left = (await leftOf(scene.watcher, org, 1)).get(org) ?? 'partial';
    figures.add(`${victim} killed, the family is ${left}`);
    if (left === 'partial' || (victim !== 'proxy' && left !== 'whole'))
      figures.addDefects(`seed ${seed}, case ${each}`, [`a ${victim} was killed, and the family is ${left}`]);
  }
  await locker.end();
  return figures;
}
