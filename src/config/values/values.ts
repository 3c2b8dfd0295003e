/** A value that cannot be what its key needs. The message starts with the value and says what is allowed. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** setTimeout holds a signed 32-bit number and fires at once above it. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Takes a duration as `250ms`, `5s`, `1.5m`, `2h`, or a plain 0, and gives whole milliseconds.
 * A number without a unit is refused, because some programs read it as seconds and others as milliseconds.
 * @throws ValueError
 */
export function parseDuration(value: string | number): number {
  const ms = Math.round(scaled(value, MILLISECONDS, '5s or 250ms'));
  if (ms > LONGEST_MS) throw new ValueError(`${quote(value)} is too long: 24 days at most`);
  return ms;
}

/**
 * Takes a duration as {@link parseDuration} does, of more than 0.
 * @throws ValueError
 */
export function parseTimeout(value: string | number): number {
  const ms = parseDuration(value);
  if (ms < 1) throw new ValueError(`${quote(value)} is not a time above 0`);
  return ms;
}

/**
 * Takes a size as `1000B`, `64MiB`, `1GiB` and gives whole bytes, more than 0.
 * kB and MB are refused: PostgreSQL means 1024 by them, everybody else 1000.
 * @throws ValueError
 */
export function parseBytes(value: string | number): number {
  const bytes = Math.round(scaled(value, BYTES, '64MiB or 1000B'));
  if (bytes < 1) throw new ValueError(`${quote(value)} is not a size above 0`);
  if (!Number.isSafeInteger(bytes)) throw new ValueError(`${quote(value)} is too large`);
  return bytes;
}

/** A value as an error message shows it: JSON, cut where it is long. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function scaled(value: string | number, units: Readonly<Record<string, number>>, example: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(String(value)) ?? [];
  if (digits === undefined || unit === undefined) {
    throw new ValueError(`${quote(value)} is not a number with a unit, such as ${example}`);
  }
  if (unit === '' && Number(digits) === 0) return 0;
  if (unit === '') throw new ValueError(`${quote(value)} has no unit: write ${example}`);
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined) {
    throw new ValueError(`${quote(value)}: the unit is not one of ${Object.keys(units).join(', ')}`);
  }
  return Number(digits) * factor;
}
