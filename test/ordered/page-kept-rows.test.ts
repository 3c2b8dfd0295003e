/** A cascade in batches stops where a trigger keeps a row, and where the server looks at keys it never shows it a half of a cycle. */
import { expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { useProxy } from '../support/proxy.js';

const database = useDatabase(`
  CREATE TABLE users (id int PRIMARY KEY);
  CREATE TABLE posts (id int PRIMARY KEY, author int REFERENCES users ON DELETE SET NULL NOT ENFORCED);
  CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
  CREATE TRIGGER keeps BEFORE UPDATE ON posts FOR EACH ROW WHEN (OLD.id = 4) EXECUTE FUNCTION keep();
  INSERT INTO users VALUES (1), (2); INSERT INTO posts VALUES (1, 2), (2, 2), (3, 1), (4, 1)`);
const cyclic = useDatabase(`
  CREATE TABLE teams (id int PRIMARY KEY, lead int);
  CREATE TABLE people (id int PRIMARY KEY, team int, CONSTRAINT in_team FOREIGN KEY (team) REFERENCES teams);
  ALTER TABLE teams ADD CONSTRAINT led_by FOREIGN KEY (lead) REFERENCES people;
  INSERT INTO teams VALUES (1, NULL), (2, NULL); INSERT INTO people VALUES (1, 1), (2, 1), (3, 2); UPDATE teams SET lead = 1 WHERE id = 1`);
const overrides = ['in_team', 'led_by'].map((name) => ({
  match: `*.*.${name}`,
  on_delete: 'cascade' as const,
}));

for (const rows of [1, 2, 100]) {
  const proxy = useProxy({ cascade: { batch_rows: rows } });

  test(`a BEFORE UPDATE trigger that keeps a row from being set to NULL, in batches of ${rows}`, async () => {
    const application = await proxy.connect(database.name);
    expect(await application.query('DELETE FROM users WHERE id = 2')).toMatchObject({ rowCount: 1 });
    await expect(application.query('DELETE FROM users WHERE id = 1')).rejects.toMatchObject({
      code: '0A000',
      detail: 'pgcascade reports PGC_BATCH_KEPT.',
    });
    expect((await application.query('SELECT id FROM users')).rows).toEqual([{ id: 1 }]);
    await application.query('INSERT INTO users VALUES (2)');
    await application.end();
  });
}

const overriding = useProxy({ cascade: { batch_rows: 3, overrides } });

test('a cycle under keys that the server enforces as NO ACTION goes in one statement', async () => {
  const application = await overriding.connect(cyclic.name);
  expect(await application.query('DELETE FROM teams WHERE id = 1')).toMatchObject({ rowCount: 1 });
  expect((await application.query('SELECT id FROM people')).rows).toEqual([{ id: 3 }]);
  await application.end();
});
