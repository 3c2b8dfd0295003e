/** What the server answers to the question of question.ts: read in slices, as the catalog of a large schema is megabytes. */
import { isUtf8 } from 'node:buffer';
import { Pace } from '../../pace.js';
import { rawBytes } from '../../sql/encoding/raw-bytes.js';
import type {
  Catalog,
  CatalogColumn,
  CatalogConfiguredKey,
  CatalogKey,
  CatalogName,
  CatalogRelation,
  DeletingTrigger,
  KeyColumn,
  KeyCopy,
} from './catalog.js';

/** What a session says before a DELETE is planned. */
export interface SessionFacts {
  readonly kind: 'facts';
  /** What each name means here and now: an object id, or null where there is no such relation. */
  readonly meanings: readonly (number | null)[];
  /** The session's pgcascade.mode; null or empty where it was never set. */
  readonly mode: string | null;
  /** The session's pgcascade.guard; null or empty where it was never set. */
  readonly guard: string | null;
  /** The session's pgcascade.locks; null or empty where it was never set. */
  readonly locks: string | null;
  /** The session's pgcascade.batch_rows; null or empty where it was never set. */
  readonly batchRows: string | null;
  /** The session's pgcascade.on_limit; null or empty where it was never set. */
  readonly onLimit: string | null;
  /** The version of Citus; null where the server has no such setting. */
  readonly citus: string | null;
  /** session_replication_role is replica: no cascades, as natively. */
  readonly replica: boolean;
  /** The catalog's state, where it was asked for. */
  readonly fingerprint: string | null;
  /** The transaction sees what is committed by now: it does not look at an older state. */
  readonly current: boolean;
  /** The transaction has written something, so that no other session may ever see this state. */
  readonly written: boolean;
  /**
   * Temporary relations of this session, which no other has, may be part of the catalog. null is not known: it was not asked
   * for, and the session has some.
   */
  readonly temporary: boolean | null;
  /** The server performs all keys that the database declares, so that the graph is empty; null where it was not asked for. */
  readonly serverDoesAll: boolean | null;
  /** Event triggers answer to DDL; null where it was not asked for. */
  readonly hooked: boolean | null;
  /** Names the database and its running server, where it was asked for. */
  readonly server: string | null;
}

/** The items of catalog.sql. */
interface Items {
  readonly relation: readonly [
    oid: number,
    schema: string,
    name: string,
    kind: string,
    partition: boolean,
    definition: string | null,
  ];
  readonly rewriteRules: number;
  readonly mayKeepRows: number;
  readonly redirectsWrites: number;
  readonly triggers: Of<readonly DeletingTrigger[]>;
  readonly parents: Of<readonly number[]>;
  readonly viewOf: Of<readonly number[]>;
  readonly reads: Of<readonly CatalogName[]>;
  readonly columns: readonly [
    oid: number,
    names: readonly string[],
    flags: string,
    constants: readonly string[] | null,
  ];
  readonly primaryKey: Of<readonly string[]>;
  readonly indexed: Of<readonly string[]>;
  readonly key: Omit<CatalogKey, 'columns' | 'copies'>;
  readonly keyColumns: Of<readonly KeyColumn[]>;
  readonly copies: Of<readonly KeyCopy[]>;
  readonly configured: CatalogConfiguredKey;
}

/** What is known of one relation, or key. */
type Of<T> = readonly [id: number, value: T];
type Slices = { readonly [Kind in keyof Items]: Items[Kind][][] };

export interface CatalogAnswer extends SessionFacts {
  /** Where it was asked for. */
  readonly catalog: Catalog | null;
  /** Of the answer. */
  readonly bytes: number;
}

/** What the server has sent is no answer to the question. */
export class UnreadableAnswer extends Error {}

/**
 * Reads the answer to `catalogQuestion`.
 * @param answer documents in base64, with a dot between them: the session's facts, and the slices of the catalog
 * @throws UnreadableAnswer
 */
export async function readAnswer(answer: string): Promise<CatalogAnswer> {
  const pace = new Pace();
  const end = answer.indexOf('.');
  const facts = decode<Omit<SessionFacts, 'kind'>>(end < 0 ? answer : answer.slice(0, end));
  const bytes = answer.length;
  if (end < 0) return { kind: 'facts', ...facts, catalog: null, bytes };
  const slices = noSlices();
  for (let at = end + 1; at < answer.length; ) {
    const dot = answer.indexOf('.', at);
    const sliceEnd = dot < 0 ? answer.length : dot;
    const [kind, items] = decode<readonly [keyof Items, never[]]>(answer.slice(at, sliceEnd));
    if (!Object.hasOwn(slices, kind))
      throw new UnreadableAnswer(`no item of the catalog is called "${kind}"`);
    slices[kind].push(items);
    at = sliceEnd + 1;
    await pace.next();
  }
  return { kind: 'facts', ...facts, catalog: await catalogOf(slices, pace), bytes };
}

async function catalogOf(slices: Slices, pace: Pace): Promise<Catalog> {
  const rewriteRules = new Set(slices.rewriteRules.flat());
  const mayKeepRows = new Set(slices.mayKeepRows.flat());
  const redirectsWrites = new Set(slices.redirectsWrites.flat());
  const triggers = byId(slices.triggers);
  const parents = byId(slices.parents);
  const viewOf = byId(slices.viewOf);
  const reads = byId(slices.reads);
  const primaryKeys = byId(slices.primaryKey);
  const indexed = byId(slices.indexed);
  const columns = new Map<number, readonly CatalogColumn[]>();
  await pace.each(slices.columns.flat(), (item) => columns.set(item[0], columnsOf(item)));
  const relations: CatalogRelation[] = [];
  await pace.each(slices.relation.flat(), ([oid, schema, name, kind, partition, definition]) =>
    relations.push({
      oid,
      schema,
      name,
      kind,
      rewriteRules: rewriteRules.has(oid),
      mayKeepRows: mayKeepRows.has(oid),
      redirectsWrites: redirectsWrites.has(oid),
      triggers: triggers.get(oid) ?? [],
      partition,
      parents: parents.get(oid) ?? [],
      definition,
      viewOf: viewOf.get(oid) ?? [],
      reads: reads.get(oid) ?? [],
      columns: columns.get(oid) ?? [],
      primaryKey: primaryKeys.get(oid) ?? [],
      indexed: indexed.get(oid) ?? [],
    }),
  );
  const keyColumns = byId(slices.keyColumns);
  const copies = byId(slices.copies);
  const keys: CatalogKey[] = [];
  await pace.each(slices.key.flat(), (key) =>
    keys.push({ ...key, columns: keyColumns.get(key.id) ?? [], copies: copies.get(key.id) ?? null }),
  );
  keys.sort((a, b) => a.id - b.id);
  await pace.next();
  return { relations, keys, configured: slices.configured.flat() };
}

/** Each column has two characters in `flags`, and those that say so a constant: see catalog.sql. */
function columnsOf([, names, flags, constants]: Items['columns']): readonly CatalogColumn[] {
  let used = 0;
  return names.map((name, i) => {
    const bits = Number(flags[2 * i]);
    const kind = flags[2 * i + 1];
    const constant = kind === 'n' ? 'NULL' : kind === 'c' ? (constants?.[used++] ?? null) : null;
    return { name, notNull: bits % 2 === 1, scalar: bits >= 2, constant, generated: kind === 'g' };
  });
}

function byId<T>(slices: readonly (readonly Of<T>[])[]): ReadonlyMap<number, T> {
  return new Map(slices.flat());
}

function noSlices(): Slices {
  return {
    relation: [],
    rewriteRules: [],
    mayKeepRows: [],
    redirectsWrites: [],
    triggers: [],
    parents: [],
    viewOf: [],
    reads: [],
    columns: [],
    primaryKey: [],
    indexed: [],
    key: [],
    keyColumns: [],
    copies: [],
    configured: [],
  };
}

/** Texts that are not UTF-8 are those of a database in SQL_ASCII: their bytes are kept. @throws UnreadableAnswer */
function decode<T>(base64: string): T {
  const bytes = Buffer.from(base64, 'base64');
  try {
    if (isUtf8(bytes)) return JSON.parse(bytes.toString('utf8')) as T;
    return JSON.parse(bytes.toString('latin1'), (_, value) =>
      typeof value === 'string' ? ofBytes(value) : value,
    ) as T;
  } catch (cause) {
    throw new UnreadableAnswer('the answer about the catalog is not whole', { cause });
  }
}

function ofBytes(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : rawBytes(bytes);
}
