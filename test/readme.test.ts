/**
 * What the documents say is so: tables, statements and sessions in them are compared with the program.
 * `UPDATE_README=1 npx vitest run test/readme.test.ts` writes the errors and the expanded statement anew.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { variableOf } from '../src/config/environment.js';
import { leafPaths } from '../src/config/json-schema.js';
import { configSchema } from '../src/config/schema.js';
import { ERRORS, type ErrorKind } from '../src/errors.js';
import { useDatabase } from './support/database.js';
import { startProxy, useProxy } from './support/proxy.js';

const root = new URL('../', import.meta.url);
const documents = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];
const manifest: { readonly version: string; readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  read('package.json'),
);

describe('the README', () => {
  test('has every error, and says of it what the program says', () => {
    const rows = Object.entries<ErrorKind>(ERRORS).map(([name, kind]) => {
      const { sqlstate, message, detail, hint = '', native } = kind;
      const says = [message, detail].filter(Boolean).join('<br>');
      return `| ${sqlstate} | ${native ? 'as the server' : name} | ${says} | ${hint} |`;
    });
    expectSection(
      'errors',
      ['| SQLSTATE | name | message | hint |', '|---|---|---|---|', ...rows].join('\n'),
    );
  });

  describe('shows', () => {
    const database = useDatabase(fenced('schema'));
    const proxy = useProxy();

    test('the statement that the server gets', async () => {
      const server = await database.connect();
      await server.query(`
        CREATE TABLE seen (statement text);
        CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN INSERT INTO seen VALUES (current_query()); RETURN NULL; END';
        CREATE TRIGGER see BEFORE DELETE ON orgs FOR EACH STATEMENT EXECUTE FUNCTION see()`);
      const client = await proxy.connect(database.name);
      await client.query('DELETE FROM orgs WHERE id = 1');
      const { rows } = await server.query('SELECT statement FROM seen');
      expectSection('statement', `\`\`\`sql\n${broken(rows[0].statement)}\n\`\`\``);
    });

    test('what psql shows of the sample', async () => {
      const sample = await startProxy({ upstream: 'embedded' });
      try {
        const client = await sample.connect();
        for (const { sql, output } of session()) {
          expect(output, sql).toEqual(await asPsql(client, sql));
        }
      } finally {
        await sample.stop();
      }
    });
  });

  test('has no configuration that would be refused', () => {
    const blocks = [...read('README.md').matchAll(/```yaml\n(# pgcascade\.yaml\n[\s\S]*?)```/g)];
    expect(blocks).not.toEqual([]);
    for (const [, text = ''] of blocks) expect(configSchema.safeParse(parse(text)).error).toBeUndefined();
  });

  test('names no variable that does not exist', () => {
    const known = ['PGCASCADE_CONFIG', ...leafPaths().map(variableOf)];
    const named = [...read('README.md').matchAll(/\bPGCASCADE_[A-Z_]+/g)].map(([name]) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });
});

describe.each(documents)('%s', (name) => {
  const text = read(name);

  test('names no script that package.json does not have', () => {
    const named = [...text.matchAll(/\bnpm run ([\w-]+)/g)].map(([, script = '']) => script);
    expect(named.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });

  test('links to nothing that is not there', () => {
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]*)(#[^)]*)?\)/g)];
    const broken = targets.filter(([, path = '', anchor]) => {
      if (path !== '') return !existsSync(new URL(path, root));
      return !anchors(text).includes(anchor ?? '');
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

test('the CHANGELOG has the version of package.json on top', () => {
  expect(/^## \[(\d[^\]]*)\]/m.exec(read('CHANGELOG.md'))?.[1]).toBe(manifest.version);
});

test('CONTRIBUTING gives a reason for every dependency, and for no other', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'));
  const listed = [...section('dependencies', read('CONTRIBUTING.md')).matchAll(/^\| `([^`]+)`/gm)];
  expect(listed.map(([, name]) => name).sort()).toEqual(
    Object.keys({ ...dependencies, ...devDependencies }).sort(),
  );
});

function read(name: string): string {
  return readFileSync(new URL(name, root), 'utf8');
}

/** What stands in a document between `<!-- name -->` and `<!-- /name -->`. */
function section(name: string, text = read('README.md')): string {
  const found = new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)<!-- /${name} -->`).exec(text)?.[1];
  if (found === undefined) throw new Error(`there is no section ${name}`);
  return found.trimEnd();
}

/** The code in a section of the README. */
function fenced(name: string): string {
  return /```\w*\n([\s\S]*?)```/.exec(section(name))?.[1] ?? '';
}

function expectSection(name: string, expected: string): void {
  if (process.env.UPDATE_README) {
    const before = section(name);
    const text = read('README.md').replace(
      `<!-- ${name} -->\n${before}`,
      () => `<!-- ${name} -->\n${expected}${before === '' ? '\n' : ''}`,
    );
    writeFileSync(fileURLToPath(new URL('README.md', root)), text);
  }
  expect(section(name)).toBe(expected);
}

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

interface Step {
  readonly sql: string;
  readonly output: readonly string[];
}

/** What is typed at the prompts of the session, and what is answered. */
function session(): readonly Step[] {
  const [, ...steps] = fenced('session').split(/^postgres=# /m);
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

/** The anchors of a document's headings, as GitHub makes them. */
function anchors(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    return `#${heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-')}`;
  });
}
