/** A cascade on a database without transactions, behind its gate (test/engines): each of its statements takes effect alone. */
import { startGate } from '../engines/gate.js';
import { GATES } from '../engines/gates.js';
import { createTable, relationsOf, world } from '../engines/worlds.js';
import type { Figures } from './figures.js';
import type { Campaign } from './fuzz.js';
import { type Halted, halt } from './halts.js';
import type { Scene } from './scene.js';

const PEOPLE = 600;
/** So many people are below one another: they go one layer after the other. */
const DEPTH = 6;

const STAFF = world(
  'staff',
  'org.parent > org cascade',
  'team.org_id > org cascade',
  'person.team_id > team cascade',
  'person.boss > person cascade',
  'badge.person_id > person cascade',
  'badge.team_id > team cascade',
  'note.person_id > person set null',
);

const gone = STAFF.keys.map(
  ({ from, columns: [own = ''], to, referenced: [id = ''] }) =>
    `(SELECT count(*) FROM ${from} AS r WHERE ${own} IS NOT NULL AND NOT EXISTS (SELECT FROM ${to} AS d WHERE d.${id} = r.${own}))`,
);
const rows = STAFF.tables
  .filter((table) => table !== 'staff_note')
  .map((table) => `(SELECT count(*) FROM ${table})`);

export const NON_ATOMIC: Halted = {
  title: 'cascades without transactions',
  schema: [
    ...STAFF.tables.map((table) => createTable(STAFF, table, 'none')),
    ...STAFF.keys.map(({ from, columns }) => `CREATE INDEX ON ${from} (${columns})`),
  ],
  fill: `TRUNCATE ${STAFF.tables};
    INSERT INTO staff_org (id, parent) VALUES (1, NULL), (2, 1), (3, 2);
    INSERT INTO staff_team (id, org_id) SELECT n, 1 + n % 3 FROM generate_series(1, 10) AS n;
    INSERT INTO staff_person (id, team_id, boss)
      SELECT n, 1 + n / ${DEPTH} % 10, CASE WHEN n % ${DEPTH} > 0 THEN n - 1 END FROM generate_series(0, ${PEOPLE - 1}) AS n;
    INSERT INTO staff_badge (id, person_id, team_id) SELECT n, n, 1 + n % 10 FROM generate_series(0, ${PEOPLE - 1}) AS n;
    INSERT INTO staff_note (id, person_id) SELECT n, n FROM generate_series(0, 99) AS n`,
  before: ['DELETE FROM staff_org WHERE id = 0'],
  // The second is between two of the client's own.
  statement: 'DELETE FROM staff_org WHERE id IN (1, 3)',
  orphans: `SELECT ${gone.join(' + ')}`,
  left: `SELECT ${rows.join(' + ')}`,
  config: { cascade: { atomic: false, relations: relationsOf([STAFF], 'public') } },
  victims: ['proxy'],
  gate: (port) => startGate({ host: '127.0.0.1', port }, GATES.cratedb),
};

export function haltNonAtomic(scene: Scene, campaign: Campaign): Promise<Figures> {
  return halt(scene, campaign, NON_ATOMIC);
}
