/** A script that psql runs on keys that are NOT ENFORCED leaves what PostgreSQL's own cascade leaves. */
import { expect, test } from 'vitest';
import { scriptText } from '../../src/script/script-text.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { useDatabase } from '../support/database.js';
import { describeProgram } from '../support/programs.js';
import { cases } from './cases.js';
import { ran, scriptOf } from './runs.js';

const database = useDatabase();

const psql = (schema: string, sql: string) =>
  ran('psql', ['-XAtq', `${database.url}?options=-csearch_path%3D${schema}`], sql);

/** All rows of all tables of a schema. */
async function contents(schema: string): Promise<string> {
  const { stdout } = await psql(
    schema,
    `SELECT format('SELECT %L, t.* FROM %I AS t ORDER BY t::text;', relname, relname) FROM pg_class
     WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r' ORDER BY relname \\gexec`,
  );
  return stdout;
}

describeProgram('psql', () => {
  test.each(
    cases.filter(({ notOn }) => !notOn?.includes('postgresql')).map((each, i) => ({ ...each, i })),
  )('$title', async ({ schema, rows, statement, fails, i }) => {
    await parserReady();
    const open = schema.replace(
      /ON DELETE (?:CASCADE|SET NULL|SET DEFAULT|RESTRICT|NO ACTION)/g,
      '$& NOT ENFORCED',
    );
    const made = await psql(
      'public',
      `CREATE SCHEMA n${i}; SET search_path TO n${i};\n${schema}\n${rows}
CREATE SCHEMA s${i}; SET search_path TO s${i};\n${open}\n${rows}`,
    );
    expect(made).toEqual({ status: 0, stdout: '', stderr: '' });
    const before = await contents(`s${i}`);
    const natively = await psql(`n${i}`, `\\set ON_ERROR_STOP on\n${statement}\n;`);
    const script = scriptText(await scriptOf(schema, statement, 'postgresql', `s${i}`));
    const done = await psql(`s${i}`, script);
    if (fails === undefined) expect(done).toEqual({ status: 0, stdout: '', stderr: '' });
    else expect(done.stderr).toContain(`ERROR:  ${fails}: `);
    expect(natively.status === 0).toBe(fails === undefined);
    expect(await contents(`s${i}`)).toBe(fails === undefined ? await contents(`n${i}`) : before);
  });
});
