/** What documents show is what happens, and what they list is what there is: statements, sessions, errors, dependencies. */
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { ERRORS, type ErrorKind } from '../../src/errors.js';
import { useDatabase } from '../support/database.js';
import { startProxy, useProxy } from '../support/proxy.js';
import { documents, expectSection, fenced, manifest, read, section } from './documents.js';

/** Stands in two documents. */
const switchedOff = /^SET pgcascade\.mode.*\n/m.exec(read('README.md'))?.[0] ?? '';

test('docs/errors.md has every error, and says of it what the program says', () => {
  const rows = Object.entries<ErrorKind>(ERRORS).map(([name, kind]) => {
    const { sqlstate, message, detail, hint = '', native, unexpandable } = kind;
    const says = [message, detail].filter(Boolean).join('<br>');
    return `| ${sqlstate} | ${native ? 'as the server' : name} | ${says} | ${hint} | ${unexpandable ? 'yes' : ''} |`;
  });
  expectSection(
    'docs/errors.md',
    'errors',
    ['| SQLSTATE | name | message | hint | passed |', '|---|---|---|---|---|', ...rows].join('\n'),
  );
});

describe('the README', () => {
  test('is short', () => {
    expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(8 * 1024);
  });

  test('and the others have no SQL that nothing runs', () => {
    const marked = ['before-and-after', 'schema', 'statement', 'not-enforced', 'which-key'];
    const ends = marked.map((name) => `<!-- /${name} -->`);
    const loose = documents.flatMap((document) =>
      [...read(document).matchAll(/^```sql\n([\s\S]*?)^```\n(.*)/gm)].flatMap(([, code = '', behind = '']) =>
        ends.includes(behind) ? [] : [code],
      ),
    );
    expect([...new Set(loose)]).toEqual([switchedOff]);
  });

  describe('shows', () => {
    const statements = fenced('README.md', 'before-and-after').trimEnd().split('\n');
    const [directly = '', proxied = ''] = statements.slice(2);
    const database = useDatabase(statements.slice(0, 2).join('\n'));
    const proxy = useProxy();

    test.each([
      [directly, 1],
      [proxied, 0],
    ])('%s', async (statement, left) => {
      const server = await database.connect();
      await server.query('DELETE FROM users; DELETE FROM orgs; INSERT INTO orgs VALUES (1), (2)');
      await server.query('INSERT INTO users VALUES (1, 1), (2, 2)');
      const client = statement === directly ? server : await proxy.connect(database.name);
      const { command, rowCount } = await client.query(statement);
      expect(`-- sent ${left === 0 ? 'through pgcascade' : 'to PostgreSQL'}: ${command} ${rowCount}, `).toBe(
        /--[^,]*, /.exec(statement)?.[0],
      );
      const { rows } = await server.query('SELECT FROM users WHERE org_id = 1');
      expect(rows).toHaveLength(left);
    });

    test('how a session switches cascades off, and on again', async () => {
      const server = await database.connect();
      await server.query('DELETE FROM users; DELETE FROM orgs');
      await server.query('INSERT INTO orgs VALUES (1), (2); INSERT INTO users VALUES (1, 1), (2, 2)');
      const client = await proxy.connect(database.name);
      await client.query(switchedOff);
      await client.query('DELETE FROM orgs WHERE id = 1');
      await client.query(/RESET .*/.exec(switchedOff)?.[0] ?? '');
      await client.query('DELETE FROM orgs WHERE id = 2');
      expect((await server.query('SELECT id FROM users')).rows).toEqual([{ id: 1 }]);
    });

    test('what psql shows of the sample', async () => {
      const sample = await startProxy({ upstream: 'embedded' });
      try {
        const client = await sample.connect();
        expect((await client.query(KEYS)).rows.map(({ key }) => key).sort()).toEqual(sampleKeys());
        for (const { sql, output } of session()) {
          expect(output, sql).toEqual(await asPsql(client, sql));
        }
      } finally {
        await sample.stop();
      }
    });
  });
});

describe('docs/how-it-works.md', () => {
  const database = useDatabase(fenced('docs/how-it-works.md', 'schema'));
  const proxy = useProxy();

  test('shows the statement that the server gets', async () => {
    const server = await database.connect();
    await server.query(`
      CREATE TABLE seen (statement text);
      CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO seen VALUES (current_query()); RETURN NULL; END';
      CREATE TRIGGER see BEFORE DELETE ON orgs FOR EACH STATEMENT EXECUTE FUNCTION see()`);
    const client = await proxy.connect(database.name);
    await client.query('DELETE FROM orgs WHERE id = 1');
    const { rows } = await server.query('SELECT statement FROM seen');
    expectSection('docs/how-it-works.md', 'statement', `\`\`\`sql\n${broken(rows[0].statement)}\n\`\`\``);
  });

  test('and docs/differences.md: the query for keys that psql does not show names each of them', async () => {
    const server = await database.connect();
    const { rows } = await server.query(fenced('docs/differences.md', 'not-enforced'));
    expect(rows).toEqual([
      {
        table: 'users',
        key: 'users_org_id_fkey',
        definition: 'FOREIGN KEY (org_id) REFERENCES orgs(id) ON DELETE CASCADE NOT ENFORCED',
      },
      {
        table: 'posts',
        key: 'posts_author_id_fkey',
        definition: 'FOREIGN KEY (author_id) REFERENCES users(id) ON DELETE SET NULL NOT ENFORCED',
      },
    ]);
  });
});

test('the CHANGELOG has the version of package.json on top', () => {
  expect(/^## \[(\d[^\]]*)\]/m.exec(read('CHANGELOG.md'))?.[1]).toBe(manifest.version);
});

test('CONTRIBUTING gives a reason for every dependency, and for no other', () => {
  const { dependencies, devDependencies } = manifest;
  const listed = [...section('CONTRIBUTING.md', 'dependencies').matchAll(/^\| `([^`]+)`/gm)];
  expect(listed.map(([, name]) => name).sort()).toEqual(
    Object.keys({ ...dependencies, ...devDependencies }).sort(),
  );
});

test('docs/decisions.md numbers its decisions, one after the other, and lists each of them once', () => {
  const numbers = [...read('docs/decisions.md').matchAll(/^(\d+)\. \*\*/gm)].map(([, number]) =>
    Number(number),
  );
  expect(numbers.length).toBeGreaterThan(0);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  const listed = [...read('docs/decisions.md').matchAll(/^- .+: ((?:\d+(?:, )?)+)$/gm)].flatMap(
    ([, list = '']) => list.split(', '),
  );
  expect(listed.map(Number).sort((a, b) => a - b)).toEqual(numbers);
});

/** The statement with its long lines broken before clauses; the table's object id and the marker are others each time. */
function broken(sql: string): string {
  const clause = /(?<! AS d) (?=(?:SET|WHERE|RETURNING|THEN|ELSE)\b)/g;
  return sql
    .replace(/\d+(?=::pg_catalog\.oid)/g, '16385')
    .replace(/pgcascade\/\w+\//g, 'pgcascade/4f1x8q2z/')
    .split('\n')
    .map((line) => (line.length > 80 ? line.replace(clause, '\n    ') : line))
    .join('\n');
}

/** The keys of the sample, as the README writes them. */
const KEYS = `
  SELECT format('%s.%s → %s %s', conrelid::regclass, attname, confrelid::regclass,
    (regexp_match(pg_get_constraintdef(c.oid), 'ON DELETE (CASCADE|RESTRICT|SET NULL|SET DEFAULT)'))[1]) AS key
  FROM pg_constraint c JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
  WHERE contype = 'f'`;

function sampleKeys(): readonly string[] {
  return fenced('README.md', 'sample')
    .trim()
    .split(/ {2,}|\n/)
    .filter(Boolean)
    .map((key) => key.replace(' NO ACTION', ' '))
    .sort();
}

interface Step {
  readonly sql: string;
  readonly output: readonly string[];
}

/** What is typed at the prompts of the session, and what is answered. */
function session(): readonly Step[] {
  const [, ...steps] = fenced('README.md', 'session').split(/^postgres=# /m);
  return steps.map((step) => {
    const [sql = '', ...lines] = step.trimEnd().split('\n');
    return { sql, output: lines.map(squeezed) };
  });
}

/** Gives the lines that psql would print, without the blanks that align them. */
async function asPsql(client: pg.Client, sql: string): Promise<readonly string[]> {
  try {
    const { command, rowCount, fields, rows } = await client.query({ text: sql, rowMode: 'array' });
    if (fields.length === 0) return [`${command} ${rowCount}`];
    const lines = [fields.map(({ name }) => name), ...rows].map((cells) => cells.join(' | '));
    const [header = '', ...body] = lines;
    return [
      header,
      fields.map(() => '-').join('+'),
      ...body,
      `(${rows.length} row${rows.length === 1 ? '' : 's'})`,
    ];
  } catch (error) {
    const { message, detail } = error as pg.DatabaseError;
    return [`ERROR: ${message}`, `DETAIL: ${detail}`];
  }
}

function squeezed(line: string): string {
  return line.trim().replace(/ {2,}/g, ' ').replace(/-{2,}/g, '-');
}
