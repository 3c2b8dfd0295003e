/** Foreign keys of older servers, which have no NOT ENFORCED: declared, or known to the configuration alone. */
import type { ProxyOptions } from '../support/proxy.js';

interface Key {
  readonly from: string;
  readonly columns: string;
  readonly to: string;
  readonly referenced: string;
  readonly on_delete: 'cascade' | 'set null' | 'set default' | 'restrict' | 'no action';
}

const TABLES = `
  CREATE TABLE orgs (id int PRIMARY KEY, name text);
  CREATE TABLE users (id int PRIMARY KEY, org int DEFAULT 7, boss int, name text);
  CREATE TABLE teams (a int, b text, org int, PRIMARY KEY (a, b));
  CREATE TABLE members (id int PRIMARY KEY, a int, b text, lead int);
  CREATE TABLE notes (id int PRIMARY KEY, author int, editor int DEFAULT 77);
  CREATE TABLE bills (id int PRIMARY KEY, payer int);
  CREATE TABLE parts (id int, org int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
  CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
  CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (200);
  CREATE TABLE pieces (id int, part int) PARTITION BY LIST (id);
  CREATE TABLE pieces_1 PARTITION OF pieces FOR VALUES IN (1, 2);
  CREATE TABLE pieces_3 PARTITION OF pieces FOR VALUES IN (3, 4);
  CREATE TABLE tags (id int PRIMARY KEY, tenant int, note int, UNIQUE (tenant, note));
  CREATE TABLE uses (id int PRIMARY KEY, tenant int NOT NULL, note int);`;

export const TABLE_NAMES = [
  'orgs',
  'users',
  'teams',
  'members',
  'notes',
  'bills',
  'parts',
  'pieces',
  'tags',
  'uses',
];

/** Their rows, whatever was there before. */
export const ROWS = `
  TRUNCATE ${TABLE_NAMES.join(', ')};
  INSERT INTO orgs VALUES (1, 'one'), (2, 'two'), (3, 'three'), (7, 'seven');
  INSERT INTO users VALUES (10, 1, NULL, 'a'), (11, 1, 10, 'b'), (20, 2, 11, 'c'), (30, 3, NULL, 'd'), (77, 7, NULL, 'e');
  INSERT INTO teams VALUES (1, 'x', 1), (2, 'y', 2);
  INSERT INTO members VALUES (1, 1, 'x', 20), (2, 2, 'y', 10), (3, NULL, NULL, 30);
  INSERT INTO notes VALUES (1, 10, 20), (2, 20, 10), (3, 77, 30);
  INSERT INTO bills VALUES (1, 30);
  INSERT INTO parts VALUES (1, 1), (2, 2), (101, 1), (102, 7);
  INSERT INTO pieces VALUES (1, 1), (2, 101), (3, 101), (4, 102);
  INSERT INTO tags VALUES (1, 5, 1), (2, 5, 2);
  INSERT INTO uses VALUES (1, 5, 1), (2, 5, 2);`;

const KEYS: readonly Key[] = [
  key('users(org) > orgs(id)', 'cascade'),
  key('users(boss) > users(id)', 'set null'),
  key('teams(org) > orgs(id)', 'cascade'),
  key('members(a, b) > teams(a, b)', 'cascade'),
  key('members(lead) > users(id)', 'set null'),
  key('notes(author) > users(id)', 'cascade'),
  key('notes(editor) > users(id)', 'set default'),
  key('bills(payer) > users(id)', 'restrict'),
  key('parts(org) > orgs(id)', 'cascade'),
  key('pieces(part) > parts(id)', 'cascade'),
  key('tags(note) > notes(id)', 'cascade'),
];
/** The server's own on every side: of its columns one alone becomes NULL, which only a declared key can say. */
const COLUMN_LIST = `ALTER TABLE uses ADD CONSTRAINT uses_tags_fkey FOREIGN KEY (tenant, note)
  REFERENCES tags (tenant, note) ON DELETE SET NULL (note);`;

function key(text: string, on_delete: Key['on_delete']): Key {
  const [, from = '', columns = '', to = '', referenced = ''] =
    /^(\w+)\((.+)\) > (\w+)\((.+)\)$/.exec(text) ?? [];
  return { from, columns, to, referenced, on_delete };
}

const nameOf = ({ from, columns }: Key) => `${from}_${columns.replace(', ', '_')}_fkey`;

function declared(action: (key: Key) => string): string {
  const each = KEYS.map(
    (one) =>
      `ALTER TABLE ${one.from} ADD CONSTRAINT ${nameOf(one)} FOREIGN KEY (${one.columns})
        REFERENCES ${one.to} (${one.referenced}) ON DELETE ${action(one)};`,
  );
  return `${TABLES} ${each.join(' ')} ${COLUMN_LIST}`;
}

/** The schema with keys that do all by themselves, with keys that do nothing, and with hardly any. */
export const SCHEMAS = {
  native: declared(({ on_delete }) => on_delete.toUpperCase()),
  overridden: declared(() => 'NO ACTION'),
  configured: `${TABLES} ${COLUMN_LIST}`,
} as const;

/** What makes the other two do what the first one does. */
export const CASCADES = {
  overridden: {
    overrides: KEYS.map((each) => ({
      match: `public.${each.from}.${nameOf(each)}`,
      on_delete: each.on_delete,
    })),
  },
  configured: {
    relations: KEYS.map((each) => ({
      name: nameOf(each),
      from: `public.${each.from}(${each.columns})`,
      to: `public.${each.to}(${each.referenced})`,
      on_delete: each.on_delete,
    })),
  },
} satisfies Record<string, ProxyOptions['cascade']>;
