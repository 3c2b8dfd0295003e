/**
 * What is asked of a database's catalog, and what comes back. The questions are sent over the client's own session
 * (session/): the proxy needs no credentials, sees a schema changed in the same transaction, and resolves names as the
 * server would.
 */
import { isAscii } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { quoteLiteral, quoteRelation, type RelationName } from '../sql/names.js';

export interface CatalogColumn {
  readonly name: string;
  /** Its values can be the elements of an array and come out again as they were. */
  readonly scalar: boolean;
}

export interface CatalogName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind: r table, p partitioned, v view, f foreign table. */
  readonly kind: string;
  /** It has rules ON DELETE. */
  readonly rules: boolean;
  /** A BEFORE trigger on its rows may keep some from being deleted; on a view an INSTEAD OF trigger deletes. */
  readonly keeps: boolean;
  readonly partition: boolean;
  /** What it inherits from or is a partition of. */
  readonly parents: readonly number[];
  /** A view's SELECT. */
  readonly definition: string | null;
  /** The relations that a view reads, at any depth, as far as keys come near them. */
  readonly viewOf: readonly number[];
  /** Those that its own SELECT names, whatever they are. */
  readonly reads: readonly CatalogName[];
  readonly columns: readonly CatalogColumn[];
  readonly primaryKey: readonly string[];
  /** The columns that stand first in an index. */
  readonly indexed: readonly string[];
}

/** One pair of columns of a key, and how the database compares them: `to OPERATOR(operator) from`. */
export interface KeyColumn {
  readonly from: string;
  readonly to: string;
  /** With its schema; null is the plain `=` of a relation that only the configuration knows. */
  readonly operator: string | null;
  readonly commutator: string | null;
  /** The types to cast to before comparing, where the operator's are not the columns' own. */
  readonly left: string | null;
  readonly right: string | null;
  /** The collation to compare under, where the columns' differ. */
  readonly collation: string | null;
}

export interface CatalogKey {
  readonly id: number;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** pg_constraint.confdeltype: a, r, c, n or d. */
  readonly action: string;
  readonly enforced: boolean;
  readonly deferred: boolean;
  readonly full: boolean;
  readonly period: boolean;
  readonly columns: readonly KeyColumn[];
  readonly setColumns: readonly string[] | null;
  /** Its copies for the partitions of the referenced table. */
  readonly copies: readonly KeyCopy[] | null;
}

/** What PostgreSQL calls a key in the errors of one partition of the referenced table. */
export interface KeyCopy {
  /** The partition. */
  readonly to: number;
  readonly name: string;
}

export interface Catalog {
  readonly relations: readonly CatalogRelation[];
  readonly keys: readonly CatalogKey[];
}

/** What a session says before a DELETE is planned. */
export interface Circumstances {
  /** What each name means here and now: an object id, or null where there is no such relation. */
  readonly meanings: readonly (number | null)[];
  /** The session's pgcascade.mode; null or empty where it was never set. */
  readonly mode: string | null;
  /** session_replication_role is replica: no cascades, as natively. */
  readonly replica: boolean;
  /** The catalog's state, where it was asked for. */
  readonly fingerprint: string | null;
  /** The state is today's: the transaction does not look at an older one. */
  readonly current: boolean;
  /** Names the database and its running server, where it was asked for. */
  readonly server: string | null;
}

const FINGERPRINT = sqlFile('fingerprint.sql');
const CATALOG = sqlFile('catalog.sql');
const SERVER = sqlFile('server.sql');

/**
 * One statement that tells the circumstances.
 * @param fingerprint asks for the catalog's state as well, as far as it concerns keys and the relations `named`
 * @param server asks where the session is as well
 */
export function circumstancesQuery(
  names: readonly RelationName[],
  fingerprint: boolean,
  named: readonly RelationName[],
  server: boolean,
): string {
  // An array has no limit; a function takes a hundred arguments.
  const meanings = names.map(
    (name) => `pg_catalog.to_regclass(${literal(quoteRelation(name))})::pg_catalog.oid::pg_catalog.int8`,
  );
  return document(`pg_catalog.json_build_object(
    'meanings', pg_catalog.array_to_json(ARRAY[${meanings.join(', ')}]::pg_catalog.int8[]),
    'mode', pg_catalog.current_setting('pgcascade.mode', true),
    'replica', pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'replica',
    'current', pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.~~) 'read %',
    'server', ${server ? `(${SERVER})` : 'NULL'},
    'fingerprint', ${fingerprint ? `(${withNamed(FINGERPRINT, named)})` : 'NULL'})`);
}

/** One statement that gives the whole Catalog; `named` are the relations wanted although no key may touch them. */
export function catalogQuery(named: readonly RelationName[]): string {
  return document(`(${withNamed(CATALOG, named)})`);
}

function withNamed(sql: string, named: readonly RelationName[]): string {
  const list = named.map(({ schema, name }) => `(${literal(schema ?? '')}, ${literal(name)})`);
  return sql.replaceAll('$NAMED$', () => list.join(', ') || '(NULL::pg_catalog.text, NULL::pg_catalog.text)');
}

/** In ASCII, so that it means the same under every client encoding: `convert_from(decode('c3a9', 'hex'), 'UTF8')`. */
function literal(text: string): string {
  const bytes = Buffer.from(text);
  if (isAscii(bytes)) return quoteLiteral(text);
  return `pg_catalog.convert_from(pg_catalog.decode('${bytes.toString('hex')}', 'hex'), 'UTF8')`;
}

/** Reads what `document` sent. */
export function readDocument<T>(base64: string): T {
  return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as T;
}

/** As base64 of UTF-8 a document arrives whole under every client encoding and every setting of the session. */
function document(json: string): string {
  return `SELECT pg_catalog.encode(pg_catalog.convert_to((${json})::pg_catalog.text, 'UTF8'), 'base64')`;
}

function sqlFile(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8').trim();
}
