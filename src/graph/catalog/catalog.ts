/**
 * What is asked of a database's catalog, and what comes back. The questions are sent over the client's own session
 * (session/): the proxy needs no credentials, sees a schema changed in the same transaction, and resolves names as the
 * server would.
 */
import { readFileSync } from 'node:fs';
import { hasLetters, hasRaw } from '../../sql/encoding/raw-bytes.js';
import { quoteLiteral, quoteRelation, type RelationName } from '../../sql/names.js';
import type { ConfiguredKey, TableColumns } from './rules.js';

export interface CatalogColumn {
  readonly name: string;
  readonly notNull: boolean;
  /** Its values can be the elements of an array and come out again as they were. */
  readonly scalar: boolean;
  /**
   * What DEFAULT sets it to, where that is a constant of a built-in type: an expression, `NULL` where it has no default.
   * null is any other default, or a column that no key can set.
   */
  readonly constant: string | null;
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
  readonly mayKeepRows: boolean;
  /** Triggers whose functions may delete, as far as their source says. */
  readonly triggers: readonly DeletingTrigger[];
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

/** A trigger that is enabled, and whose function's source has a word with which rows are deleted. */
export interface DeletingTrigger {
  readonly name: string;
  /** `schema.name`, for messages. */
  readonly function: string;
  /** FOR EACH ROW: it fires for rows of a partition too, whatever table the statement names. */
  readonly row: boolean;
  readonly deletes: boolean;
  readonly updates: boolean;
  readonly truncates: boolean;
  /** Those of UPDATE OF; null is all. */
  readonly columns: readonly string[] | null;
}

/** One pair of columns of a key, and how the database compares them: `to OPERATOR(operator) from`. */
export interface KeyColumn {
  readonly referencing: string;
  readonly referenced: string;
  /** With its schema. */
  readonly operator: string;
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
  readonly referencing: number;
  readonly referenced: number;
  /** pg_constraint.confdeltype: a, r, c, n or d. */
  readonly action: string;
  readonly enforced: boolean;
  readonly deferred: boolean;
  readonly matchFull: boolean;
  readonly period: boolean;
  readonly columns: readonly KeyColumn[];
  readonly setColumns: readonly string[] | null;
  /** Its copies for the partitions of the referenced table. */
  readonly copies: readonly KeyCopy[] | null;
}

/** What PostgreSQL calls a key in the errors of one partition of the referenced table. */
export interface KeyCopy {
  /** The partition. */
  readonly referenced: number;
  readonly name: string;
}

/** A relation of the configuration whose tables are both in this database. */
export interface CatalogConfiguredKey {
  /** Its place in the configuration. */
  readonly number: number;
  /** A unique index covers the referenced columns, such as PostgreSQL wants for a foreign key. */
  readonly unique: boolean;
  /** Its columns as far as they are there; `operator` is null where PostgreSQL has none for a foreign key. */
  readonly columns: readonly (Omit<KeyColumn, 'operator'> & { readonly operator: string | null })[];
}

export interface Catalog {
  readonly relations: readonly CatalogRelation[];
  readonly keys: readonly CatalogKey[];
  readonly configured: readonly CatalogConfiguredKey[];
}

/** What a session says before a DELETE is planned. */
export interface SessionFacts {
  /** What each name means here and now: an object id, or null where there is no such relation. */
  readonly meanings: readonly (number | null)[];
  /** The session's pgcascade.mode; null or empty where it was never set. */
  readonly mode: string | null;
  /** session_replication_role is replica: no cascades, as natively. */
  readonly replica: boolean;
  /** The catalog's state, where it was asked for. */
  readonly fingerprint: string | null;
  /** The transaction sees what is committed by now: it does not look at an older state. */
  readonly current: boolean;
  /** The transaction has written something, so that the state may be one that nobody else ever sees. */
  readonly written: boolean;
  /**
   * Temporary relations of this session may be part of the catalog: nobody else has them. null is not known: it was not
   * asked for, and the session has some.
   */
  readonly temporary: boolean | null;
  /** The server carries out all that the database declares, so that its graph is empty; null where it was not asked for. */
  readonly idle: boolean | null;
  /** Event triggers answer to DDL; null where it was not asked for. */
  readonly hooked: boolean | null;
  /** Names the database and its running server, where it was asked for. */
  readonly server: string | null;
}

/** What a session is asked. */
export interface CatalogQuestion {
  /** What these names mean. */
  readonly names: readonly RelationName[];
  /** The catalog's state, and the catalog itself. */
  readonly fingerprint: boolean;
  readonly catalog: boolean;
  /** Whether the session's temporary relations, if it has any, may be part of the catalog. */
  readonly temporary?: boolean;
  /** Whether the server carries out all that there is, and whether event triggers may change that. */
  readonly idle?: boolean;
  /** Where the session is. */
  readonly server: boolean;
}

const FINGERPRINT = sqlFile('fingerprint.sql');
const CATALOG = sqlFile('catalog.sql');
const CONFIGURED = sqlFile('configured.sql');
const DELETING_TRIGGERS = sqlFile('deleting-triggers.sql');
const OWN_TEMPORARIES = sqlFile('own-temporaries.sql');
const NO_TEMPORARIES = 'CASE WHEN pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.=) 0 THEN false END';
const IDLE = sqlFile('idle.sql');
const EVENT_TRIGGERS = `EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS e WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D')`;
const SERVER = sqlFile('server.sql');

/**
 * One statement that tells the circumstances and, where it is asked for, the whole catalog, which is then that of the
 * fingerprint. `readAnswer` reads what it gives.
 *
 *     SELECT pg_catalog.concat_ws('.', pg_catalog.encode(pg_catalog.convert_to((pg_catalog.json_build_object(
 *       'meanings', …, 'current', …, 'written', pg_catalog.txid_current_if_assigned() IS NOT NULL,
 *       'fingerprint', (SELECT …)))::pg_catalog.text, 'UTF8'), 'base64'), (SELECT …)) AS answer
 *
 * A transaction has an id from its first change on, in a subtransaction too, and also where that is rolled back
 * (xact.c, AssignTransactionId). The function is older than pg_current_xact_id_if_assigned and in every version from
 * 10 to 18.
 * @param relations those of the configuration: they are wanted although no key of the catalog may touch their tables
 */
export function catalogQuestion(
  { names, fingerprint, catalog, temporary, idle, server }: CatalogQuestion,
  relations: readonly ConfiguredKey[],
): string {
  const named = relationsNamed(relations);
  // An array has no limit; a function takes a hundred arguments.
  const meanings = names.map(
    (name) => `pg_catalog.to_regclass(${literal(quoteRelation(name))})::pg_catalog.oid::pg_catalog.int8`,
  );
  const told = document(`pg_catalog.json_build_object(
    'meanings', pg_catalog.array_to_json(ARRAY[${meanings.join(', ')}]::pg_catalog.int8[]),
    'mode', pg_catalog.current_setting('pgcascade.mode', true),
    'replica', pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'replica',
    'current', pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.~~) 'read %',
    'written', pg_catalog.txid_current_if_assigned() IS NOT NULL,
    'temporary', ${temporary ? OWN_TEMPORARIES : NO_TEMPORARIES},
    'idle', ${idle ? `(${IDLE})` : 'NULL'},
    'hooked', ${idle ? EVENT_TRIGGERS : 'NULL'},
    'server', ${server ? `(${SERVER})` : 'NULL'},
    'fingerprint', ${fingerprint ? `(${withNamed(FINGERPRINT, named)})` : 'NULL'})`);
  const rest = catalog ? `(${withNamed(catalogSql(relations), named)})` : 'NULL';
  return `SELECT pg_catalog.concat_ws('.', ${told}, ${rest}) AS answer`;
}

/** The whole Catalog, with what the configuration's relations mean in it. */
function catalogSql(relations: readonly ConfiguredKey[]): string {
  const configured = CONFIGURED.replace('$CONFIGURED$', () => configuredRows(relations));
  return CATALOG.replace('$CONFIGURED_KEYS$', () => configured).replace(
    '$DELETING_TRIGGERS$',
    () => DELETING_TRIGGERS,
  );
}

/** The tables that the configuration names. */
function relationsNamed(relations: readonly ConfiguredKey[]): readonly RelationName[] {
  return relations
    .flatMap(({ from, to }) => [from, to])
    .map(({ schema, table }) => ({ schema, name: table }));
}

/** `(0::pg_catalog.int8, 'shop', 'items', ARRAY['order_id']::pg_catalog.text[], 'shop', 'orders', ARRAY['id']…)`, one a relation. */
function configuredRows(relations: readonly ConfiguredKey[]): string {
  const side = ({ schema, table, columns }: TableColumns) =>
    `${literal(schema)}, ${literal(table)}, ARRAY[${columns.map(literal).join(', ')}]::pg_catalog.text[]`;
  const rows = relations.map(({ from, to }, i) => `(${i}::pg_catalog.int8, ${side(from)}, ${side(to)})`);
  return rows.join(', ') || NO_ROW;
}

const NO_SIDE = 'NULL::pg_catalog.text, NULL::pg_catalog.text, NULL::pg_catalog.text[]';
const NO_ROW = `(NULL::pg_catalog.int8, ${NO_SIDE}, ${NO_SIDE})`;

function withNamed(sql: string, named: readonly RelationName[]): string {
  const list = named.map(({ schema, name }) => `(${literal(schema ?? '')}, ${literal(name)})`);
  return sql.replaceAll('$NAMED$', () => list.join(', ') || '(NULL::pg_catalog.text, NULL::pg_catalog.text)');
}

/**
 * In ASCII, so that it means the same under every client encoding: `convert_from(decode('c3a9', 'hex'), 'UTF8')`. What the
 * client itself has said in bytes goes to the server as it came.
 */
function literal(text: string): string {
  if (!hasLetters(text)) return quoteLiteral(text);
  if (!hasRaw(text)) return inHex(text);
  const runs = text.match(/[\0-\x7f\uDC00-\uDDFF]+|[^\0-\x7f\uDC00-\uDDFF]+/gu) ?? [];
  return runs
    .map((run) => (hasLetters(run) ? inHex(run) : quoteLiteral(run)))
    .join(' OPERATOR(pg_catalog.||) ');
}

function inHex(text: string): string {
  return `pg_catalog.convert_from(pg_catalog.decode('${Buffer.from(text).toString('hex')}', 'hex'), 'UTF8')`;
}

/**
 * As base64 of UTF-8 a document arrives whole under every client encoding and every setting of the session. A database in
 * SQL_ASCII does not know what its bytes are.
 */
function document(json: string): string {
  return (
    `pg_catalog.encode(pg_catalog.convert_to((${json})::pg_catalog.text,` +
    ` CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')`
  );
}

function sqlFile(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8').trim();
}
