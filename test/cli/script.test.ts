/** The command script, and check-config of schema files: what they print, and their exit codes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { workspace } from '../config/workspace.js';
import { run } from './run.js';

const TABLES =
  'CREATE TABLE orgs (id INTEGER PRIMARY KEY);\nCREATE TABLE users (id INTEGER PRIMARY KEY, org_id INT REFERENCES orgs ON DELETE CASCADE);\n';
async function told(argv: readonly string[], cwd: string) {
  const { code, written } = run(argv, undefined, {}, cwd);
  const status = await code;
  const on = (stream: string) =>
    written.flatMap((line) => (line.startsWith(`${stream}: `) ? [line.slice(5)] : [])).join('\n');
  return { code: status, stdout: on('out'), stderr: on('err') };
}

const script = (cwd: string, ...rest: readonly string[]) =>
  told(['script', '--schema', 's.sql', '--dialect', 'sqlite', ...rest], cwd);

describe('script', () => {
  test('prints the script, or writes it', async () => {
    const cwd = workspace({ 's.sql': TABLES });
    const printed = await script(cwd, 'DELETE FROM orgs WHERE id = 1;');
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).toMatch(
      /^-- Ordered deletes for sqlite3, made by pgcascade of:\n-- DELETE FROM orgs WHERE id = 1\n/,
    );
    expect(printed.stdout).toContain('DELETE FROM "users" WHERE "org_id" IN (SELECT "id" FROM "pgc_orgs");');
    expect(await script(cwd, '--out', 'out.sql', 'DELETE FROM orgs WHERE id = 1')).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(readFileSync(join(cwd, 'out.sql'), 'utf8')).toBe(`${printed.stdout}\n`);
  });

  test('prints its steps as JSON', async () => {
    const { stdout } = await script(workspace({ 's.sql': TABLES }), '--format', 'json', 'DELETE FROM orgs');
    const { dialect, program, statement, steps } = JSON.parse(stdout);
    expect({ dialect, program, statement }).toEqual({
      dialect: 'sqlite',
      program: 'sqlite3',
      statement: 'DELETE FROM orgs',
    });
    expect(steps.map(({ kind }: { readonly kind: string }) => kind)).toEqual([
      ...['open', 'open', 'open', 'collect', 'delete', 'delete', 'verify', 'verify', 'close'],
    ]);
  });

  test.each([
    ['CREATE TABLE a (b INT REFERENCES c (d));', 2, 's.sql:1: there is no table c'],
    [
      TABLES,
      1,
      'pgcascade: cannot write a script for a DELETE from teams, a table that the schema file does not have.',
    ],
  ])('what cannot be done is told: %s', async (sql, code, message) => {
    const ran = await script(workspace({ 's.sql': sql }), 'DELETE FROM teams');
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) });
  });

  test('a schema file that is not there, and a place that cannot be written', async () => {
    const cwd = workspace();
    expect(await script(cwd, 'DELETE FROM t')).toMatchObject({
      code: 2,
      stderr: 's.sql: cannot be read: no such file or directory',
    });
    const other = workspace({ 's.sql': TABLES });
    expect(await script(other, '--out', 'no/where.sql', 'DELETE FROM orgs')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no/where.sql cannot be written'),
    });
  });
});

test('check-config names file and line of a schema file, whose path is seen from the working directory', async () => {
  const cwd = workspace({
    'pgcascade.yaml':
      'cascade: { files: [{ path: s.sql, dialect: sqlite }, { path: gone.sql, dialect: mysql }] }',
    's.sql': `${TABLES}ALTER TABLE users ADD COLUMN team INT REFERENCES teams;`,
  });
  expect(await told(['check-config'], cwd)).toMatchObject({
    code: 2,
    stderr: `cascade.files[0]: ${cwd}/s.sql:3: there is no table teams`,
  });
});

test('an entry of cascade.files is checked as the rest of the configuration', async () => {
  const cwd = workspace({
    'pgcascade.yaml': 'cascade:\n  files:\n    - { path: a.sql }\n    - { path: "", dialect: orcale }\n',
  });
  expect((await told(['check-config'], cwd)).stderr).toBe(
    `pgcascade.yaml:3: cascade.files[0].dialect: is missing
pgcascade.yaml:4: cascade.files[1].path: is empty: name a file, or say null
pgcascade.yaml:4: cascade.files[1].dialect: "orcale" is not one of postgresql, mysql, mariadb, sqlite, redshift, greenplum`,
  );
});
