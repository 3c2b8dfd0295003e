/** A cascade in batches, each of which is a transaction of its own. */
import type { Figures } from './figures.js';
import type { Campaign } from './fuzz.js';
import { type Halted, halt } from './halts.js';
import type { Scene } from './scene.js';

/** As the tests' server is set, what was committed last would be lost where a backend is killed. */
const DURABLE = 'SET synchronous_commit = on';

const BATCHES: Halted = {
  title: 'batches of 2,500 of 100,000 rows',
  schema: [
    DURABLE,
    `CREATE TABLE area (id int PRIMARY KEY);
    CREATE TABLE site (id int PRIMARY KEY, area_id int REFERENCES area ON DELETE CASCADE NOT ENFORCED);
    CREATE TABLE device (id int PRIMARY KEY, site_id int REFERENCES site ON DELETE CASCADE NOT ENFORCED);
    CREATE TABLE reading (id int PRIMARY KEY, device_id int REFERENCES device ON DELETE CASCADE NOT ENFORCED,
      site_id int REFERENCES site ON DELETE CASCADE NOT ENFORCED);
    CREATE TABLE remark (id int PRIMARY KEY, device_id int REFERENCES device ON DELETE SET NULL NOT ENFORCED);
    CREATE INDEX ON site (area_id);
    CREATE INDEX ON device (site_id);
    CREATE INDEX ON reading (device_id);
    CREATE INDEX ON reading (site_id);
    CREATE INDEX ON remark (device_id)`,
  ],
  fill: `${DURABLE}; TRUNCATE area, site, device, reading, remark; INSERT INTO area VALUES (1), (2);
    INSERT INTO site SELECT n, 1 + n % 2 FROM generate_series(0, 99) AS n;
    INSERT INTO device SELECT n, n % 100 FROM generate_series(0, 4999) AS n;
    INSERT INTO reading SELECT n, n % 5000, n % 100 FROM generate_series(0, 94899) AS n;
    INSERT INTO remark SELECT n, n FROM generate_series(0, 999) AS n; ANALYZE area, site, device, reading, remark`,
  statement: 'DELETE FROM area',
  before: ['DELETE FROM area WHERE id = 0'],
  orphans: `SELECT (SELECT count(*) FROM site WHERE NOT EXISTS (SELECT FROM area WHERE id = area_id))
    + (SELECT count(*) FROM device WHERE NOT EXISTS (SELECT FROM site WHERE id = site_id))
    + (SELECT count(*) FROM reading WHERE NOT EXISTS (SELECT FROM device WHERE id = device_id))
    + (SELECT count(*) FROM reading AS r WHERE NOT EXISTS (SELECT FROM site WHERE id = r.site_id))
    + (SELECT count(*) FROM remark WHERE device_id IS NOT NULL AND NOT EXISTS (SELECT FROM device WHERE id = device_id))`,
  left: `SELECT (SELECT count(*) FROM area) + (SELECT count(*) FROM site) + (SELECT count(*) FROM device)
    + (SELECT count(*) FROM reading)`,
  config: { cascade: { batch_rows: 2500 } },
  victims: ['proxy', 'backend'],
};

const DEEP: Halted = {
  title: 'batches of 100 of a self-reference 2,000 deep',
  schema: [
    DURABLE,
    'CREATE TABLE folder (id int PRIMARY KEY, parent int REFERENCES folder ON DELETE CASCADE NOT ENFORCED); CREATE INDEX ON folder (parent)',
  ],
  fill: `${DURABLE}; TRUNCATE folder; INSERT INTO folder SELECT n, nullif(n - 1, 0) FROM generate_series(1, 2000) AS n; ANALYZE folder`,
  statement: 'DELETE FROM folder WHERE id = 1',
  before: ['DELETE FROM folder WHERE id = 0'],
  orphans: `SELECT count(*) FROM folder AS r WHERE parent IS NOT NULL AND NOT EXISTS (SELECT FROM folder AS d WHERE d.id = r.parent)`,
  left: 'SELECT count(*) FROM folder',
  config: { cascade: { batch_rows: 100 } },
  victims: ['proxy', 'backend'],
};

/** On a server that nobody else uses. */
export function haltBatches(scene: Scene, campaign: Campaign): Promise<Figures> {
  return halt(scene, campaign, BATCHES);
}

/** On a server that nobody else uses. */
export function haltDeepBatches(scene: Scene, campaign: Campaign): Promise<Figures> {
  return halt(scene, campaign, DEEP);
}
