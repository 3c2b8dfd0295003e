/**
 * The columns that the server has told for one text (render/returned-columns.ts). They are asked for each time, as the proxy does not notice
 * when a table without keys changes.
 */
import { isAscii } from 'node:buffer';
import { ProxyError } from '../../errors.js';
import type { Columns, ColumnsQuestion } from '../../render/returned-columns.js';
import { readRaw } from '../../sql/encoding/character-lengths.js';
import { hasLetters } from '../../sql/encoding/raw-bytes.js';
import { quoteLiteral } from '../../sql/names.js';
import { TEXT_BEYOND_ASCII } from '../server/encoding.js';
import type { Described, InternalQueries, Protocol } from '../server/internal-query.js';

/** Thrown where a text cannot be rewritten before the server has answered a question. */
export class ColumnsUnknown extends Error {
  readonly question: ColumnsQuestion;

  constructor(question: ColumnsQuestion) {
    super('the server was not asked for these columns yet');
    this.question = question;
  }
}

/** How the server can be asked for the columns of a client's text. */
export interface ColumnsSource {
  readonly protocol: Protocol;
  /** The parameters' types that its Parse declares. */
  readonly types: readonly number[];
  /** How many characters of the client's string stand before the text. */
  readonly offset?: number;
}

export class KnownColumns {
  readonly #known = new Map<string, readonly string[]>();

  /** Whether the server has told anything. */
  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  /** @throws ColumnsUnknown */
  readonly of: Columns = (question) => {
    const known = this.#known.get(question.sql);
    if (known === undefined) throw new ColumnsUnknown(question);
    return known;
  };

  /**
   * Puts a question to the server. An error that it finds in the client's query is the client's. So is a wait for a table in
   * the query: the client's timeouts count while the server describes it.
   * @param encoding the client's
   * @throws ProxyError PGC_ENCODING where the question cannot be put
   */
  async ask(
    question: ColumnsQuestion,
    { protocol, types, offset = 0 }: ColumnsSource,
    queries: InternalQueries,
    encoding: string,
  ): Promise<'done' | 'failed' | 'skipped'> {
    const { sql, query } = question;
    if (encoding !== 'UTF8' && hasLetters([sql, query, ...(question.types ?? [])].join()))
      throw new ProxyError('PGC_ENCODING', { what: TEXT_BEYOND_ASCII, encoding });
    const before = question.offset + offset;
    let declared = types;
    if (question.types) {
      const answer =
        question.types.length > 0 ? await queries.askUntimed(oidsOf(question.types), protocol) : undefined;
      if (answer && answer.kind !== 'value') return answer.kind;
      declared = (answer?.value.split(' ') ?? []).map(Number);
      // The server refuses the PREPARE before it looks at any column.
      if (declared.includes(0)) {
        this.#known.set(sql, ['?column?']);
        return 'done';
      }
    }
    if (query !== undefined) {
      const told = await queries.describe(query, declared, protocol, before);
      if (told.kind !== 'value') return told.kind;
      declared = told.parameters;
    }
    const told = await queries.describe(sql, declared, protocol, before);
    if (told.kind !== 'value') return told.kind;
    this.#known.set(sql, namesOf(told, encoding));
    return 'done';
  }
}

/** `SELECT array_to_string(ARRAY[to_regtype('int')::oid, …], ' ')`, with 0 for a type that does not exist. */
function oidsOf(types: readonly string[]): string {
  const oids = types.map(
    (type) => `coalesce(pg_catalog.to_regtype(${quoteLiteral(type)})::pg_catalog.oid, 0::pg_catalog.oid)`,
  );
  return `SELECT pg_catalog.array_to_string(ARRAY[${oids.join(', ')}]::pg_catalog.oid[], ' ')`;
}

/** @throws ProxyError PGC_ENCODING where the names are in an encoding that is not read here */
function namesOf({ columns }: Described & { kind: 'value' }, encoding: string): readonly string[] {
  return columns.map((name) => {
    if (encoding === 'UTF8' || isAscii(name)) return name.toString('utf8');
    const read = readRaw(name, encoding);
    if (read !== undefined) return read;
    throw new ProxyError('PGC_ENCODING', { what: 'columns with names beyond ASCII', encoding });
  });
}
