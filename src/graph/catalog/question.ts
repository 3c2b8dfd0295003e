/**
 * What is asked of a database's catalog. The questions are sent over the client's own session (session/catalog): the proxy
 * needs no credentials, sees a schema that was changed in the same transaction, and resolves names as the server would.
 */

import { hasLetters, hasRaw } from '../../sql/encoding/raw-bytes.js';
import { quoteLiteral, quoteRelation, type RelationName } from '../../sql/names.js';
import type { ConfiguredKey, TableColumns } from './key-settings.js';
import { sqlFile } from './sql-file.js';

/** What a session is asked. */
export interface CatalogQuestion {
  /** What these names mean. */
  readonly names: readonly RelationName[];
  /** The catalog's state, and the catalog itself. */
  readonly fingerprint: boolean;
  readonly catalog: boolean;
  /** Whether the session's temporary relations, if it has any, may be part of the catalog. */
  readonly temporary?: boolean;
  /** Whether the server performs all keys itself, and whether event triggers may change that. */
  readonly serverDoesAll?: boolean;
  /** Where the session is. */
  readonly server: boolean;
}

const OTHERS_TEMPORARIES = sqlFile('others-temporaries.sql', import.meta.url);
const FINGERPRINT = withOthersTemporaries(sqlFile('fingerprint.sql', import.meta.url));
const CATALOG = withOthersTemporaries(sqlFile('catalog.sql', import.meta.url));
const CONFIGURED = sqlFile('configured.sql', import.meta.url);
const NAMED = sqlFile('named.sql', import.meta.url);
// Where the configuration names no relation: to plan the joins of these two files would take longer than all else.
/** No row of `CONFIGURED`'s columns. */
const NONE_CONFIGURED = `SELECT NULL::pg_catalog.int8 AS number, NULL::pg_catalog.oid AS conrelid, NULL::pg_catalog.oid AS confrelid,
  NULL::pg_catalog.int2[] AS conkey, NULL::pg_catalog.int2[] AS confkey, NULL::pg_catalog.oid[] AS conpfeqop, false AS covered WHERE false`;
/** No row of `NAMED`'s column. */
const NONE_NAMED = 'SELECT NULL::pg_catalog.oid AS oid WHERE false';
const DELETING_TRIGGERS = sqlFile('deleting-triggers.sql', import.meta.url);
const OWN_TEMPORARIES = sqlFile('own-temporaries.sql', import.meta.url);
const NO_TEMPORARIES = 'CASE WHEN pg_catalog.pg_my_temp_schema() OPERATOR(pg_catalog.=) 0 THEN false END';
const SERVER_DOES_ALL = sqlFile('server-does-all.sql', import.meta.url);
const EVENT_TRIGGERS = `EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS e WHERE e.evtenabled OPERATOR(pg_catalog.<>) 'D')`;
const SERVER = sqlFile('server.sql', import.meta.url);

/**
 * One statement that asks for the session's facts and, if wanted, for the whole catalog: it is then the catalog of the
 * fingerprint. `readAnswer` reads its answer.
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
  { names, fingerprint, catalog, temporary, serverDoesAll, server }: CatalogQuestion,
  relations: readonly ConfiguredKey[],
): string {
  const named = relationsNamed(relations);
  // An array has no limit; a function takes a hundred arguments.
  const meanings = names.map(
    (name) => `pg_catalog.to_regclass(${literal(quoteRelation(name))})::pg_catalog.oid::pg_catalog.int8`,
  );
  const facts = document(`pg_catalog.json_build_object(
    'meanings', pg_catalog.array_to_json(ARRAY[${meanings.join(', ')}]::pg_catalog.int8[]),
    'mode', pg_catalog.current_setting('pgcascade.mode', true),
    'guard', pg_catalog.current_setting('pgcascade.guard', true),
    'locks', pg_catalog.current_setting('pgcascade.locks', true),
    'batchRows', pg_catalog.current_setting('pgcascade.batch_rows', true),
    'onLimit', pg_catalog.current_setting('pgcascade.on_limit', true),
    'citus', pg_catalog.current_setting('citus.version', true),
    'replica', pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.=) 'replica',
    'current', pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.~~) 'read %',
    'written', pg_catalog.txid_current_if_assigned() IS NOT NULL,
    'temporary', ${temporary ? OWN_TEMPORARIES : NO_TEMPORARIES},
    'serverDoesAll', ${serverDoesAll ? `(${SERVER_DOES_ALL})` : 'NULL'},
    'hooked', ${serverDoesAll ? EVENT_TRIGGERS : 'NULL'},
    'server', ${server ? `(${SERVER})` : 'NULL'},
    'fingerprint', ${fingerprint ? `(${withNamed(FINGERPRINT, named)})` : 'NULL'})`);
  const rest = catalog ? `(${withNamed(catalogSql(relations), named)})` : 'NULL';
  return `SELECT pg_catalog.concat_ws('.', ${facts}, ${rest}) AS answer`;
}

/** A query for the whole catalog, and for what the configuration's relations mean in it: catalog.sql, with the other files put in. */
function catalogSql(relations: readonly ConfiguredKey[]): string {
  const none = relations.length === 0;
  const configured = none
    ? NONE_CONFIGURED
    : CONFIGURED.replace('$CONFIGURED$', () => configuredRows(relations));
  return CATALOG.replace('$CONFIGURED_KEYS$', () => configured)
    .replace('$NAMED_RELATIONS$', () => (none ? NONE_NAMED : NAMED))
    .replace('$DELETING_TRIGGERS$', () => DELETING_TRIGGERS);
}

function withOthersTemporaries(sql: string): string {
  return sql.replace('$OTHERS_TEMPORARIES$', () => OTHERS_TEMPORARIES);
}

/** The tables that the configuration names. */
function relationsNamed(relations: readonly ConfiguredKey[]): readonly RelationName[] {
  return relations
    .flatMap(({ from, to }) => [from, to])
    .map(({ schema, table }) => ({ schema, name: table }));
}

/** `(0::int8, 'shop', 'items', ARRAY['order_id']::text[], 'shop', 'orders', ARRAY['id']::text[])`, one for each relation. */
function configuredRows(relations: readonly ConfiguredKey[]): string {
  const side = ({ schema, table, columns }: TableColumns) =>
    `${literal(schema)}, ${literal(table)}, ARRAY[${columns.map(literal).join(', ')}]::pg_catalog.text[]`;
  const rows = relations.map(({ from, to }, i) => `(${i}::pg_catalog.int8, ${side(from)}, ${side(to)})`);
  return rows.join(', ');
}

/** Puts the tables that the configuration names into a query: `('shop', 'items'), ('shop', 'orders')`. */
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

/** `convert_from(decode('c3a9', 'hex'), 'UTF8')`: a literal in ASCII. */
function inHex(text: string): string {
  return `pg_catalog.convert_from(pg_catalog.decode('${Buffer.from(text).toString('hex')}', 'hex'), 'UTF8')`;
}

/**
 * As base64 of UTF-8 a document arrives whole under every client encoding and every setting of the session. A database in
 * SQL_ASCII does not know what its bytes mean, and gives them as they are.
 *
 *     encode(convert_to((json_build_object(…))::text,
 *       CASE WHEN getdatabaseencoding() = 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')
 */
function document(json: string): string {
  return (
    `pg_catalog.encode(pg_catalog.convert_to((${json})::pg_catalog.text,` +
    ` CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64')`
  );
}
