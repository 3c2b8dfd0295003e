/** Tries rows, and compares what comes of them with what is promised. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionString } from './connection-strings.js';
import { missingIn } from './drivers.js';
import { type Attempt, logIns, WHO } from './programs.js';
import { type ClientName, describeRow, type Row, type Setting } from './rows.js';
import { type Expected, expected } from './rule.js';
import { type Stage, userOf } from './stage.js';

export interface Tried {
  readonly row: Row;
  readonly expected: Expected;
  /** As `logIns` gives it. */
  readonly answer: string;
  readonly isAsPromised: boolean;
}

/** The rows that a client can have. */
export function rowsOf(client: ClientName, settings: readonly Setting[]): readonly Row[] {
  return settings
    .filter(({ sslmode, method }) => missingIn(client, sslmode, method === 'plus') === undefined)
    .map((setting) => ({ client, ...setting }));
}

/** What a client has not, and how many of the settings want it. */
export function missing(client: ClientName, settings: readonly Setting[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { sslmode, method } of settings) {
    const why = missingIn(client, sslmode, method === 'plus');
    if (why) counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  return counts;
}

/** @param rows of one client */
export async function tryRows(
  stage: Stage,
  client: ClientName,
  rows: readonly Row[],
): Promise<readonly Tried[]> {
  const attempts: Attempt[] = [];
  for (const row of rows) {
    const wantsBinding = row.method === 'plus';
    attempts.push({
      connection: connectionString(client, await stage.target(row), wantsBinding),
      wantsBinding,
    });
  }
  const home = mkdtempSync(join(tmpdir(), 'pgcascade-home-'));
  try {
    const answers = await logIns(client, attempts, home, WHO);
    return rows.map((row, i) => judge(row, answers[i] ?? 'the client has ended before'));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function judge(row: Row, answer: string): Tried {
  const promised = expected(row);
  return { row, expected: promised, answer, isAsPromised: isKept(promised, answer, userOf(row.method)) };
}

function isKept(promised: Expected, answer: string, user: string): boolean {
  if (promised.kind === 'refused') return answer.startsWith('refused ') && promised.told.test(answer);
  const [connects, who, server, client] = answer.split(' ');
  const flag = (encrypted: boolean) => (encrypted ? 't' : 'f');
  return (
    connects === 'connects' &&
    who === user &&
    server === flag(promised.server) &&
    (client === '?' || client === flag(promised.client))
  );
}

/** For a row that is not as promised. */
export function describeFault({ row, expected: promised, answer }: Tried): string {
  const wanted =
    promised.kind === 'refused'
      ? `refused: ${promised.told.source}`
      : `connects, the server's connection ${promised.server ? 'encrypted' : 'in clear'}, the client's ${promised.client ? 'encrypted' : 'in clear'}`;
  return `${describeRow(row)}\n    promised: ${wanted}\n    found:    ${answer}`;
}
