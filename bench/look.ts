import { lookAt, type TextSettings } from '../src/sql/lexer/look.js';
import { AT_MOST, number, numbers, readOptions } from './options.js';
import { summarize, table } from './statistics.js';

export const usage = `look: what it takes to look at a text without parsing it, in microseconds

  --bytes N,N,…       lengths of the texts (60,600,6000)
  --rounds N          of which the middle one counts (9)
  --at-most US        exit 1 when a look at the first length took longer`;

const OPTIONS = { bytes: numbers([60, 600, 6000], 1), rounds: number(9, 1), 'at-most': AT_MOST };

const SETTINGS: TextSettings = { strings: 'on', hasHalves: false };
const LOOKS_PER_ROUND = 20_000;

/** As drivers and ORMs send them. */
const KINDS: Readonly<Record<string, (bytes: number) => string>> = {
  'a SELECT of columns': (bytes) =>
    filled('SELECT id', ', "t"."column_name" AS alias_1', ' FROM t WHERE id = $1', bytes),
  'an INSERT of literals': (bytes) =>
    filled("INSERT INTO t VALUES ('a'", `, 'some text, and it''s data', 42`, ')', bytes),
  'one long literal': (bytes) => filled("SELECT f('", 'all of this is data; ', "')", bytes),
};

/** Gives false when a goal that was asked for is missed. */
export async function look(args: string[]): Promise<boolean> {
  const { bytes, rounds, 'at-most': most } = readOptions(args, OPTIONS);
  const rows = Object.entries(KINDS).map(([kind, make]) => ({
    kind,
    took: bytes.map((length) => measure(Buffer.from(make(length)), rounds)),
  }));
  const heads = bytes.map((length) => `${length} bytes`);
  const lines = rows.map(({ kind, took }) => [kind, ...took.map((us) => us.toFixed(2))]);
  console.log(table([['µs', ...heads], ...lines]));
  return rows.every(({ took }) => (took[0] ?? 0) <= most);
}

function measure(text: Buffer, rounds: number): number {
  const took = Array.from({ length: rounds }, () => {
    // Of the processor: others may be using it too.
    const start = process.cpuUsage();
    for (let i = 0; i < LOOKS_PER_ROUND; i++) lookAt(text, SETTINGS);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / LOOKS_PER_ROUND;
  });
  return summarize(took).median;
}

/** A text of this length, or a little less, but for what it must have. */
function filled(start: string, piece: string, end: string, bytes: number): string {
  return (
    start + piece.repeat(Math.max(0, Math.floor((bytes - start.length - end.length) / piece.length))) + end
  );
}
