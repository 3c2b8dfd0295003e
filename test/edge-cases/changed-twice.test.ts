/** A row that several keys change: its new key is checked after the last change that came before the check. */
import { describe, test, vi } from 'vitest';
import { tried, UNENFORCED, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { same, sameOn } = useSides();

describe('37 a row that two SET DEFAULT keys change', () => {
  const schema = (first: string, second: string, third: string) =>
    `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2);
    CREATE TABLE q (id int PRIMARY KEY, p int); INSERT INTO q VALUES (1, 1);
    CREATE TABLE c (id int, f0 int DEFAULT 9, f1 int DEFAULT NULL, f2 int DEFAULT NULL) PARTITION BY RANGE (id);
    CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (0) TO (10); CREATE TABLE c2 PARTITION OF c FOR VALUES FROM (10) TO (20);
    ${first}; ${second}; ${third}; ALTER TABLE c ADD FOREIGN KEY (f2) REFERENCES p ON DELETE SET DEFAULT KEYS;
    INSERT INTO c VALUES (1, 1, 1, NULL), (11, 1, NULL, NULL), (2, 2, NULL, 2), (12, 2, NULL, NULL)`;
  const texts = ['DELETE FROM p WHERE id = 1', 'DELETE FROM p WHERE id = 2', 'DELETE FROM p'];
  const takes = 'ALTER TABLE q ADD FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE KEYS';
  const later = 'ALTER TABLE c ADD FOREIGN KEY (f1) REFERENCES q ON DELETE SET DEFAULT KEYS';
  const breaks = 'ALTER TABLE c ADD FOREIGN KEY (f0) REFERENCES p ON DELETE SET DEFAULT KEYS';
  const late = breaks.replace('KEYS', 'DEFERRABLE INITIALLY DEFERRED KEYS');
  test('is checked after the second change', () => same(schema(takes, later, breaks), ...texts));
  test('is checked before a change that is queued after the check', () =>
    same(schema(breaks, takes, later), ...texts));
  test('is checked after all changes at COMMIT', () => same(schema(late, takes, later), ...texts));
});

test.each([
  ['older than these', 'REFERENCES p ON DELETE CASCADE KEYS', ''],
  ['younger', '', 'ALTER TABLE p ADD FOREIGN KEY (up) REFERENCES p ON DELETE CASCADE KEYS'],
])('37 SET NULL (a) after SET DEFAULT (b) of a key (a, b): what is checked is what they have made by then, with the key that brings the second %s', (_, older, younger) =>
  sameOn(
    UNENFORCED,
    `CREATE TABLE p (id int PRIMARY KEY, a int, b int, up int ${older}, UNIQUE (a, b)); INSERT INTO p VALUES (1, 2, 1, NULL), (2, 1, 3, 1), (3, 4, 4, NULL), (4, 3, 1, 3);
    CREATE TABLE c (id int, a int REFERENCES p ON DELETE SET NULL KEYS, b int DEFAULT 9, FOREIGN KEY (a, b) REFERENCES p (a, b) ON DELETE SET DEFAULT (b) KEYS);
    ${younger}; INSERT INTO c VALUES (1, 2, 1), (2, NULL, 4)`,
    tried(
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id IN (1, 3)',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM p WHERE id = 3',
    ),
  ));

test('37 a MATCH FULL key of which two SET NULL keys set a column each is checked when both have', () =>
  same(
    `CREATE TABLE p (id int PRIMARY KEY, a int, b int, UNIQUE (a, b)); INSERT INTO p VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3);
    CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO q VALUES (1, 1), (2, NULL), (3, NULL);
    CREATE TABLE c (id int, a int REFERENCES p ON DELETE SET NULL KEYS, b int REFERENCES q ON DELETE SET NULL KEYS, FOREIGN KEY (a, b) REFERENCES p (a, b) MATCH FULL KEYS);
    INSERT INTO c VALUES (1, 1, 1), (2, 2, 2)`,
    ...tried(
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM q WHERE id = 2',
      'DELETE FROM p',
    ),
  ));

test('37 a row that is changed twice, and deleted before the check after the second change, is not checked', () =>
  same(
    `CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (2), (3);
    CREATE TABLE q (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE KEYS); INSERT INTO q VALUES (1, 1), (2, NULL), (3, 3);
    CREATE TABLE z (id int PRIMARY KEY, p int); INSERT INTO z VALUES (1, 1), (2, 2), (3, 3);
    CREATE TABLE c (id int, a int DEFAULT 9 REFERENCES p ON DELETE SET DEFAULT KEYS, b int REFERENCES q ON DELETE SET NULL KEYS, z int REFERENCES z ON DELETE CASCADE KEYS);
    ALTER TABLE z ADD FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE KEYS;
    INSERT INTO c VALUES (1, 1, 1, 1), (2, 2, NULL, 2), (3, NULL, 3, 3)`,
    ...tried(
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p WHERE id = 2',
      'DELETE FROM p WHERE id = 3',
      'DELETE FROM p',
    ),
  ));

test('37 SET DEFAULT to a row that goes too, and SET NULL of another column of the key as it goes', () =>
  sameOn(
    UNENFORCED,
    `CREATE TABLE p (id int PRIMARY KEY, a int, b int, UNIQUE (a, b)); INSERT INTO p VALUES (1, 2, 2), (2, 2, 9), (3, 3, 3), (4, 3, 9);
    CREATE TABLE c (a int REFERENCES p ON DELETE SET NULL KEYS, b int DEFAULT 9, FOREIGN KEY (a, b) REFERENCES p (a, b) ON DELETE SET DEFAULT (b) KEYS);
    INSERT INTO c VALUES (2, 2), (NULL, 3)`,
    tried(
      'DELETE FROM p WHERE a = 2',
      'DELETE FROM p WHERE id > 2',
      'DELETE FROM p WHERE id = 1',
      'DELETE FROM p',
    ),
  ));
