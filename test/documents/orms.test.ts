/** docs/orms.md: its recipes are those that the clients' suites run, and its SQL and its configuration do what it says. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { useDatabase } from '../support/database.js';
import type { ProxyOptions } from '../support/proxy.js';
import { startProxy } from '../support/proxy.js';
import { fenced, files, read } from './documents.js';

const document = 'docs/orms.md';
const chapters = read(document)
  .split(/^## /m)
  .slice(1)
  .map((text) => ({ title: text.slice(0, text.indexOf('\n')), text }));
const recipes = chapters.flatMap(({ title, text }) =>
  [...text.matchAll(/```(python|ts|prisma|java|ruby)\n([\s\S]*?)```/g)].map(([, , code = '']) => ({
    title,
    code,
    text,
  })),
);
const isRun = ({ text }: { readonly text: string }) => /^Run by /m.test(text);
const suites = files('test/clients').filter((path) => /\.(py|ts|prisma|java)$/.test(path));

describe('a recipe that is run', () => {
  test.each(recipes.filter(isRun))('stands in a suite that its chapter links to: $title', ({
    code,
    text,
  }) => {
    const holds = suites.filter((path) => squeezed(read(path)).includes(squeezed(code)));
    expect(holds).not.toEqual([]);
    expect(holds.filter((path) => text.includes(`(../${path})`))).not.toEqual([]);
  });
});

test('a recipe that is not run says so, and where it is from', () => {
  const others = recipes.filter((recipe) => !isRun(recipe));
  expect(others.map(({ title }) => title)).toEqual(['Hibernate, JPA', 'Rails']);
  for (const { text } of others) {
    expect(text).toContain('From its documentation, not run here.');
    expect(text).toMatch(/\]\(https:\/\//);
  }
});

test('the table has every ORM that has a chapter', () => {
  const listed = [...read(document).matchAll(/^\| \[([^\]]+)\]\(#/gm)].map(([, name]) => name);
  expect(listed).toEqual([...new Set(recipes.map(({ title }) => title))]);
});

describe('what the database has to know', () => {
  // What Django and others make: enforced, without an action.
  const database = useDatabase(`
    CREATE TABLE orgs (id int PRIMARY KEY);
    CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE);
    CREATE TABLE shop_order (id int PRIMARY KEY);
    CREATE TABLE shop_item (id int PRIMARY KEY, order_id int CONSTRAINT shop_item_order_id_1b2c3d4e_fk_shop_order_id
      REFERENCES shop_order DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO orgs VALUES (1);
    INSERT INTO users VALUES (1, 1);
    INSERT INTO shop_order VALUES (1), (2);
    INSERT INTO shop_item VALUES (1, 1), (2, 2)`);

  test('a key that is made NOT ENFORCED is left alone by the server, and followed by the proxy', async () => {
    const server = await database.connect();
    await server.query(fenced(document, 'not-enforced'));
    const { rows } = await server.query(
      `SELECT conenforced FROM pg_constraint WHERE conname = 'users_org_id_fkey'`,
    );
    expect(rows).toEqual([{ conenforced: false }]);
    await withProxy({}, (client) => client.query('DELETE FROM orgs'));
    expect((await server.query('SELECT FROM users')).rowCount).toBe(0);
  });

  test('an override makes a deferred key without an action cascade', async () => {
    const { cascade } = parse(fenced(document, 'overrides'));
    const server = await database.connect();
    await withProxy({ cascade }, (client) => client.query('DELETE FROM shop_order WHERE id = 1'));
    expect((await server.query('SELECT id FROM shop_item')).rows).toEqual([{ id: 2 }]);
    const { code } = await server.query('DELETE FROM shop_order').catch((error) => error);
    expect(code).toBe('23503');
  });

  async function withProxy(
    options: ProxyOptions,
    use: (client: Awaited<ReturnType<typeof database.connect>>) => Promise<unknown>,
  ): Promise<void> {
    const proxy = await startProxy(options);
    try {
      await use(await proxy.connect(database.name));
    } finally {
      await proxy.stop();
    }
  }
});

/** A text without what the formatter or the place in a file may make different. */
function squeezed(code: string): string {
  return code.replace(/\s+/g, ' ').trim();
}
