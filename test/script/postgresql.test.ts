/** A script that psql runs on keys that are NOT ENFORCED leaves what PostgreSQL's own cascade leaves. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scriptText } from '../../src/script/script-text.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { useDatabase } from '../support/database.js';
import { describeProgram } from '../support/programs.js';
import { cases } from './cases.js';
import { ran, scriptOf } from './runs.js';

const database = useDatabase();

let client: pg.Client;
beforeAll(async () => {
  await parserReady();
  client = await database.connect();
});
afterAll(() => client.end());

/** All rows of all tables of a schema. */
async function contents(schema: string): Promise<unknown> {
  const tables = await client.query<{ readonly table: string }>(
    'SELECT quote_ident(relname) AS table FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = $2 ORDER BY 1',
    [schema, 'r'],
  );
  const all: [string, unknown][] = [];
  for (const { table } of tables.rows)
    all.push([table, (await client.query(`SELECT t::text FROM ${schema}.${table} AS t ORDER BY 1`)).rows]);
  return all;
}

const psql = (searchPath: string, script: string) =>
  ran('psql', ['-XAtq', `${database.url}?options=-csearch_path%3D${searchPath}`], script);

describeProgram('psql', () => {
  test.each(
    cases.filter(({ notOn }) => !notOn?.includes('postgresql')).map((each, i) => ({ ...each, i })),
  )('$title', async ({ schema, rows, statement, fails, i }) => {
    const open = schema.replace(
      /ON DELETE (?:CASCADE|SET NULL|SET DEFAULT|RESTRICT|NO ACTION)/g,
      '$& NOT ENFORCED',
    );
    const [native, scripted] = [`n${i}`, `s${i}`];
    await client.query(`CREATE SCHEMA ${native}; SET search_path TO ${native};\n${schema}\n${rows}`);
    await client.query(`CREATE SCHEMA ${scripted}; SET search_path TO ${scripted};\n${open}\n${rows}`);
    const before = await contents(scripted);
    await client.query(`SET search_path TO ${native}`);
    const natively = await client.query(statement).then(
      () => 'done',
      ({ code }) => code,
    );
    const script = scriptText(await scriptOf(schema, statement, 'postgresql', scripted));
    const done = await psql(scripted, script);
    if (fails === undefined) expect(done).toEqual({ status: 0, stdout: '', stderr: '' });
    else expect(done.stderr).toContain(`ERROR:  ${fails}: `);
    expect(natively).toEqual(fails === undefined ? 'done' : expect.stringMatching(/^23/));
    expect(await contents(scripted)).toEqual(fails === undefined ? await contents(native) : before);
  });

  test('the table of the schema file is meant, where another one of its name comes first', async () => {
    const schema =
      'CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE c (p int REFERENCES p ON DELETE CASCADE);';
    for (const name of ['first', 'meant'])
      await client.query(
        `CREATE SCHEMA ${name}; SET search_path TO ${name};\n${schema}\nINSERT INTO p VALUES (1); INSERT INTO c VALUES (1)`,
      );
    const script = scriptText(await scriptOf(schema, 'DELETE FROM p WHERE id = 1', 'postgresql', 'meant'));
    expect(await psql('first,meant', script)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect([await contents('first'), await contents('meant')]).toEqual([
      [
        ['c', [{ t: '(1)' }]],
        ['p', [{ t: '(1)' }]],
      ],
      [
        ['c', []],
        ['p', []],
      ],
    ]);
  });
});
