/** A text may name as many relations as it likes, and the same one as often. */
import { describe, test } from 'vitest';
import { asNativeOn } from './as-native.js';
import { useTwin } from './twin.js';

const native = asNativeOn(useTwin());

// PostgreSQL passes at most 100 arguments to a function.
const ids = Array.from({ length: 150 }, (_, i) => i + 1);

describe('a text with many names', () => {
  test('deletes from one table again and again, and each DELETE cascades', async () => {
    await native.queries(ids.map((id) => `DELETE FROM orgs WHERE id = ${id % 4}`).join('; '));
  });

  test('deletes from as many tables, and each DELETE cascades', async () => {
    const tables = ids.map(
      (id) => `
      CREATE TABLE p${id} (id int PRIMARY KEY); INSERT INTO p${id} VALUES (1);
      CREATE TABLE c${id} (id int REFERENCES p${id} ON DELETE CASCADE KEYS); INSERT INTO c${id} VALUES (1);`,
    );
    await native.inSchema(
      tables.join(''),
      ids.map((id) => `DELETE FROM p${id}`).join('; '),
      `SELECT ${ids.map((id) => `(SELECT count(*) FROM c${id})`).join(' + ')}`,
    );
  });

  test('truncates as many tables at once', async () => {
    await native.inSchema(
      ids.map((id) => `CREATE TABLE t${id} (id int); INSERT INTO t${id} VALUES (1);`).join(''),
      `TRUNCATE ${ids.map((id) => `t${id}`).join(', ')}`,
      `SELECT ${ids.map((id) => `(SELECT count(*) FROM t${id})`).join(' + ')}`,
    );
  });
});
