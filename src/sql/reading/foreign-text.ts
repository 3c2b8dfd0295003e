/** Reads texts that are none of PostgreSQL's SQL and all the same hold a DELETE that can be understood. */

import { type FormedStatement, type OwnForms, postgresForm } from '../dialects/delete-forms.js';
import { hasRaw } from '../encoding/raw-bytes.js';
import type { DeletingStatement, Meaning, Statement } from '../statement/statement.js';
import { readStatements } from '../statement/statement.js';

/** In UTF-16 units: it is read here, and not in a thread. */
const LONGEST = 16 * 1024;

/**
 * @param own the forms of the server's family
 * @returns the statements, with all places in the client's text; undefined where it is not understood
 * @throws ProxyError PGC_TOO_LARGE
 */
export function readForeign(text: string, own: OwnForms): readonly Statement[] | undefined {
  // What a backslash in a literal is, families do not agree about.
  if (text.length > LONGEST || text.includes('\\') || hasRaw(text)) return undefined;
  const form = postgresForm(text, own);
  const read = form && readStatements(form.sql);
  if (form === undefined || read?.length !== form.statements.length) return undefined;
  const statements: Statement[] = [];
  for (const [i, statement] of read.entries()) {
    const formed = form.statements[i];
    const meaning = formed && meaningIn(statement, formed, form.original);
    if (formed === undefined || meaning === undefined) return undefined;
    statements.push({ ...statement, meaning, start: formed.start, end: formed.end });
  }
  return statements;
}

/** @returns undefined where the statement is not understood */
function meaningIn(
  { meaning, start }: Statement,
  formed: FormedStatement,
  original: (place: number) => number,
): Meaning | undefined {
  const { parts } = formed;
  if (meaning.kind !== 'deleting') return parts === undefined ? meaning : undefined;
  if (meaning.sites.length !== 1 || meaning.outer !== undefined) return undefined;
  const moved = moveAll(meaning, (place) => original(start + place) - formed.start) as DeletingStatement;
  // By what is compared several statements would become one.
  return { ...moved, compared: [], ...(parts ? { foreign: parts } : {}) };
}

/** The same with all numbers in it, which are places, moved. */
function moveAll(value: unknown, move: (place: number) => number): unknown {
  if (typeof value === 'number') return move(value);
  if (Array.isArray(value)) return value.map((each) => moveAll(each, move));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, moveAll(each, move)]));
}
