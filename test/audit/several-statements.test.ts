/** A cascade that several statements carry out is one line of the record, with the rows of all of them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { type ProxyOptions, startProxy } from '../support/proxy.js';
import { useTap } from '../support/tap.js';

const database = useDatabase(`
  CREATE TABLE teams (id int PRIMARY KEY, above int REFERENCES teams ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE people (id int PRIMARY KEY, team int REFERENCES teams ON DELETE CASCADE NOT ENFORCED);
  CREATE TABLE notes (id int PRIMARY KEY, person int REFERENCES people ON DELETE SET NULL NOT ENFORCED);
  CREATE TABLE marks (id int PRIMARY KEY, note int DEFAULT 0 REFERENCES notes ON DELETE SET DEFAULT NOT ENFORCED);`);
const ROWS = `TRUNCATE teams, people, notes, marks CASCADE;
  INSERT INTO teams VALUES (1, NULL), (2, NULL); INSERT INTO people SELECT i, 1 + i % 2 FROM generate_series(1, 20) i;
  INSERT INTO notes SELECT i, 1 + i % 20 FROM generate_series(0, 59) i; INSERT INTO marks VALUES (1, 1), (2, 2)`;

const LEFT = `SELECT (SELECT count(*) FROM people)::int AS people, (SELECT count(person) FROM notes)::int AS notes`;

/** The lines of the record, and what `/metrics` counts, of one DELETE. */
async function recorded(
  text: string,
  values: readonly unknown[],
  cascade: NonNullable<ProxyOptions['cascade']>,
  more = '',
  upstream: Pick<ProxyOptions, 'upstream'> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.jsonl');
  const direct = await database.connect();
  await direct.query(`${ROWS}; ${more}`);
  const proxy = await startProxy({ audit: { path }, admin: { listen: '127.0.0.1:0' }, cascade, ...upstream });
  const client = await proxy.connect(database.name);
  const outcome = await client.query(text, [...values]).then(
    ({ rowCount }) => rowCount,
    (error: Error) => error.message,
  );
  const metrics = await (await fetch(`http://${proxy.app.admin}/metrics`)).text();
  await proxy.stop();
  const left = (await direct.query(LEFT)).rows[0];
  await direct.end();
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return { outcome, lines: lines.map((line) => JSON.parse(line)), metrics, left };
}

const taken = (name: string, action: string, rows: number) => ({ table: `public.${name}`, action, rows });
const WAYS = [
  ['ordered statements', { strategy: 'ordered' }],
  ['batches', { batch_rows: 7 }],
] as const;
const TEXTS = [
  ['a query', 'DELETE FROM people WHERE team = 1', []],
  ['what is prepared', 'DELETE FROM people WHERE team = $1', [1]],
] as const;

test.each(
  WAYS.flatMap(([way, cascade]) => TEXTS.map((text) => [way, ...text, cascade] as const)),
)('%s, %s: one line with the rows of each table', async (_, __, text, values, cascade) => {
  const { outcome, lines, metrics } = await recorded(text, values, cascade);
  expect(outcome).toBe(10);
  expect(lines).toMatchObject([{ tables: ['public.people'], outcome: 'done' }]);
  expect(lines[0].rows).toEqual([taken('notes', 'set null', 30), taken('people', 'delete', 10)]);
  expect(metrics).toMatch(/^pgcascade_cascade_rows_total\{[^}]*table="public.notes"[^}]*\} 30$/m);
});

test.each(WAYS)('%s that find no row: a line that says so', async (_, cascade) => {
  const { outcome, lines } = await recorded('DELETE FROM people WHERE team = -1', [], cascade);
  expect(outcome).toBe(0);
  expect(lines[0].rows).toEqual([taken('notes', 'set null', 0), taken('people', 'delete', 0)]);
});

test('what one of the statements does to several tables is not counted, and not taken for nothing', async () => {
  const { lines } = await recorded('DELETE FROM notes WHERE id = -1', [], { strategy: 'ordered' });
  expect(lines).toMatchObject([{ outcome: 'done', rows: null }]);
});

test('of batches that are cut short there is a line that they failed, with what is gone', async () => {
  const stop = `CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'enough'; END $$;
    CREATE TRIGGER stop AFTER DELETE ON people FOR EACH ROW WHEN (OLD.id = 9) EXECUTE FUNCTION stop()`;
  const text = 'DELETE FROM people WHERE id > 0';
  const { outcome, lines, metrics, left } = await recorded(text, [], { batch_rows: 7 }, stop);
  expect(outcome).toBe('enough');
  expect(lines).toMatchObject([{ outcome: 'failed', sqlstate: 'P0001' }]);
  // Notes of which a batch has set nothing to NULL reference one of the twenty.
  const gone = [taken('notes', 'set null', 60 - left.notes), taken('people', 'delete', 20 - left.people)];
  expect(lines[0].rows).toEqual(gone);
  expect(gone.every(({ rows }) => rows > 0)).toBe(true);
  expect(metrics).toMatch(
    new RegExp(`^pgcascade_cascade_rows_total\\{[^}]*table="public.notes"[^}]*\\} ${60 - left.notes}$`, 'm'),
  );
});

test('of batches whose connection is lost as well', async () => {
  const lose = `CREATE OR REPLACE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    DROP TRIGGER IF EXISTS stop ON people;
    CREATE TRIGGER lose AFTER DELETE ON people FOR EACH ROW WHEN (OLD.id = 9) EXECUTE FUNCTION lose()`;
  const { lines, left } = await recorded('DELETE FROM people WHERE id > 0', [], { batch_rows: 7 }, lose);
  expect(lines).toMatchObject([{ outcome: 'failed', sqlstate: '08006' }]);
  const gone = [taken('notes', 'set null', 60 - left.notes), taken('people', 'delete', 20 - left.people)];
  expect(lines[0].rows).toEqual(gone);
  expect(gone.every(({ rows }) => rows > 0)).toBe(true);
});

describe('of an Execute whose commit is to be answered before the client gets its answer', () => {
  const [, text, values] = TEXTS[1];
  let isExecuted = false;
  const SYNC = Buffer.from('S\0\0\0\x04', 'latin1');
  // The server closes the connection without a word.
  let isCut = false;
  const tap = useTap((bytes) => {
    if (isExecuted && bytes.equals(SYNC)) {
      isCut = true;
      return Buffer.from('X\0\0\0\x04', 'latin1');
    }
    if (bytes.includes(text)) isExecuted = true;
    return bytes;
  });

  test('there is the line that there is of any other, where the connection is lost meanwhile', async () => {
    const { outcome, lines } = await recorded(text, values, { on_limit: 'batch' }, '', { upstream: tap.url });
    expect([outcome, isCut]).toEqual([expect.any(String), true]);
    expect(lines).toMatchObject([{ tables: ['public.people'], outcome: 'done' }]);
  });
});
