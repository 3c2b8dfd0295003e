/** What databases that are not PostgreSQL are asked for their keys: one value, which is read here. */
import { isUtf8 } from 'node:buffer';
import type { Family } from '../../profiles/families/family.js';
import { UnreadableAnswer } from '../catalog/answer.js';
import { sqlFile } from '../catalog/sql-file.js';
import { type DuckDbAnswer, keysOfDuckDb } from './duckdb-keys.js';
import { type H2Answer, keysOfH2 } from './h2-keys.js';
import type { Told } from './told.js';

export interface KeyQuestion {
  readonly sql: string;
  /** @param answer its value, in UTF-8 @throws UnreadableAnswer */
  read(answer: Buffer): Told;
}

const QUESTIONS: Partial<Readonly<Record<Family['graph'], KeyQuestion>>> = {
  information_schema: {
    sql: sqlFile('h2.sql', import.meta.url),
    read: (answer) => readable(answer, (value) => keysOfH2(value as H2Answer)),
  },
  'duckdb_constraints()': {
    sql: sqlFile('duckdb.sql', import.meta.url),
    read: (answer) => readable(answer, (value) => keysOfDuckDb(value as DuckDbAnswer)),
  },
};

/** @returns undefined where servers of the family cannot be asked, or are asked what PostgreSQL is */
export function keyQuestion({ graph }: Pick<Family, 'graph'>): KeyQuestion | undefined {
  return QUESTIONS[graph];
}

function readable(answer: Buffer, read: (value: unknown) => Told): Told {
  try {
    if (!isUtf8(answer)) throw new Error('it is not in UTF-8');
    return read(answer.length === 0 ? null : JSON.parse(answer.toString('utf8')));
  } catch (cause) {
    throw new UnreadableAnswer('the answer about the keys is not whole', { cause });
  }
}
