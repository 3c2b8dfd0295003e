/**
 * The reduced twin: the same random rows and DELETEs through the proxy, where no key is enforced, and on an engine that enforces
 * them. Each statement has to say the same, and to leave the same rows.
 */
import type pg from 'pg';
import { expect } from 'vitest';
import { columnsOf, type World } from './worlds.js';

/** Takes statements; what fails is rejected. */
export interface Side {
  query(
    sql: string,
    values?: readonly number[],
  ): Promise<{ readonly rowCount: number | null; readonly rows: readonly object[] }>;
}

export interface TwinOptions {
  readonly worlds: readonly World[];
  /** Through the proxy. */
  readonly subject: Side;
  /** With enforced keys. */
  readonly oracle: Side;
  /** Executes statements that load rows, whatever the keys say. */
  readonly load: (side: 'subject' | 'oracle', statements: readonly string[]) => Promise<void>;
  readonly seed: number;
  readonly rounds: number;
  /** A statement that fails is sent as a simple query alone (promises.ts says why). */
  readonly failsAsQuery?: boolean;
  /** The oracle does not count a row that the cascade of another one has taken before: in a cycle its tag is another. */
  readonly countsGone?: boolean;
  /** Worlds whose statements are not sent in a transaction of the client's. */
  readonly withoutBlocks?: readonly World[];
}

const ROWS = 6;

/** @returns what was compared, and how many of the statements the rules refused */
export async function compareTwins(
  options: TwinOptions,
): Promise<{ statements: number; refused: number; deleted: number }> {
  const random = randomOf(options.seed);
  const seen = { statements: 0, refused: 0, deleted: 0 };
  for (let round = 0; round < options.rounds; round++)
    for (const world of options.worlds) {
      const rows = rowsOf(world, random);
      for (const side of ['subject', 'oracle'] as const) await options.load(side, rows);
      const told: string[] = [...rows];
      for (let i = 0; i < 2; i++) {
        const [sql, values] = deleteOf(world, random);
        const hasBlocks = !options.withoutBlocks?.includes(world);
        const isOpen = random(4) === 0 && hasBlocks;
        told.push(`${isOpen ? 'BEGIN; ' : ''}${sql} ${values ?? ''}`);
        const outcome = await compareOne(sql, values, isOpen, world, options, told);
        seen.statements++;
        if (outcome === 'fails') seen.refused++;
        else seen.deleted += outcome;
      }
    }
  return seen;
}

async function compareOne(
  sql: string,
  values: readonly number[] | undefined,
  isOpen: boolean,
  world: World,
  { countsGone, failsAsQuery, oracle, subject }: TwinOptions,
  told: readonly string[],
): Promise<number | 'fails'> {
  const plain = values ? sql.replace('$1', String(values[0])) : sql;
  if (isOpen) await both('BEGIN', oracle, subject);
  const native = await outcomeOf(oracle, plain);
  const asQuery = failsAsQuery && native === 'fails';
  const countsAlike =
    !countsGone || world.keys.every(({ from, to }) => from !== to && world.name !== 'cycle');
  const comparable = (outcome: number | 'fails') =>
    countsAlike || outcome === 'fails' ? outcome : 'deletes';
  let said = '';
  const through = await outcomeOf(subject, asQuery ? plain : sql, asQuery ? undefined : values, (words) => {
    said = words;
  });
  expect([comparable(through), told.slice(-3), said]).toEqual([comparable(native), told.slice(-3), said]);
  if (isOpen) await both(native === 'fails' ? 'ROLLBACK' : 'COMMIT', oracle, subject);
  for (const table of world.tables) {
    const all = `SELECT ${columnsOf(world, table).join(', ')} FROM ${table} ORDER BY id`;
    const [left, expected] = [await subject.query(all), await oracle.query(all)];
    expect([table, asTexts(left.rows), told.slice(-3)]).toEqual([
      table,
      asTexts(expected.rows),
      told.slice(-3),
    ]);
  }
  return native;
}

async function both(sql: string, oracle: Side, subject: Side): Promise<void> {
  await oracle.query(sql);
  await subject.query(sql);
}

async function outcomeOf(
  side: Side,
  sql: string,
  values?: readonly number[],
  hear: (words: string) => void = () => {},
): Promise<number | 'fails'> {
  return side.query(sql, values).then(
    ({ rowCount }) => rowCount ?? 0,
    (error) => {
      hear(String(error));
      return 'fails' as const;
    },
  );
}

function asTexts(rows: readonly object[]): readonly string[] {
  return rows.map((row) => Object.values(row).map(String).join(' '));
}

/** What empties a world, and fills it: each row references another one, or nothing. */
function rowsOf(world: World, random: (below: number) => number): readonly string[] {
  return world.tables.flatMap((table) => {
    const columns = columnsOf(world, table).slice(3);
    const rows = Array.from({ length: ROWS }, (_, i) => {
      const own = columns.map(() => referenceOf(random));
      return `(${[i + 1, i + 1, i + 1, ...pairs(world, table, own)].join(', ')})`;
    });
    return [`DELETE FROM ${table}`, `INSERT INTO ${table} VALUES ${rows.join(', ')}`];
  });
}

function referenceOf(random: (below: number) => number): string {
  return random(3) === 0 ? 'NULL' : String(1 + random(ROWS));
}

/** The columns of a key of several reference one row, which has the same value in both, or are null. */
function pairs({ keys }: World, table: string, own: readonly string[]): readonly string[] {
  const isPair = keys.some(({ columns, from }) => from === table && columns.length > 1);
  return isPair
    ? own.map((value, i) => (i % 2 === 1 && value !== 'NULL' ? (own[i - 1] ?? value) : value))
    : own;
}

function deleteOf(
  { tables }: World,
  random: (below: number) => number,
): readonly [string, (readonly number[])?] {
  const table = tables[random(Math.min(2, tables.length))];
  const id = 1 + random(ROWS);
  switch (random(5)) {
    case 0:
      return [`DELETE FROM ${table} WHERE id = $1`, [id]];
    case 1:
      return [`DELETE FROM ${table} WHERE id IN (${id}, ${1 + random(ROWS)})`];
    case 2:
      return [`DELETE FROM ${table} AS t WHERE t.id >= ${id}`];
    case 3:
      return random(3) === 0
        ? [`DELETE FROM ${table}`]
        : [`DELETE FROM ${table} WHERE x = ${id} OR y = $1`, [id]];
    default:
      return [`DELETE FROM ${table} WHERE id = ${id}`];
  }
}

/** mulberry32 */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** @param client in the extended protocol where there are values */
export function sideOf(client: pg.Client): Side {
  return {
    query: (text, values) =>
      values === undefined ? client.query(text) : client.query({ text, values: values.map(String) }),
  };
}
