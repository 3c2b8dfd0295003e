/** Triggers that may change which rows the WHERE of a DELETE finds: a page's own whose children are gone no longer, or more than one statement would. */
import type { Graph } from '../../graph/graph.js';
import type { Plan } from '../../plan/plan.js';
import { quoteLiteral } from '../../sql/names.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import type { Root } from '../single/root.js';

/** With these a function changes rows that are there, or calls another function. */
const CHANGES = ['update', 'delete', 'merge', 'truncate', 'execute', 'perform', 'select', 'call'];
/** With these it adds rows: that matters where the WHERE reads other tables, and where a trigger or a rule takes the new rows further. */
const ADDS = ['insert', 'copy'];

/**
 * Whether a trigger that a page fires adds rows to the table that the client deletes from, which a later page would take, or may change
 * what the WHERE looks at, unless that is the primary key alone: its source has one of the words, or names a function of somebody's
 * that is not immutable (a stable one may call a volatile one), or cannot be read. A word as a literal is what TG_OP is compared with.
 *
 *     EXISTS (SELECT FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid JOIN pg_language AS l ON l.oid = p.prolang
 *       WHERE g.tgrelid = ANY (ARRAY[16385]::oid[]) AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND (g.tgtype & 24) <> 0
 *         AND (p.prosrc ~* '…(into|copy)…topics…' OR l.lanname <> 'internal' AND (l.lanname <> 'plpgsql'
 *           OR lower(regexp_replace(p.prosrc, '…', '', 'gi')) ~ '[[:<:]](update|…)[[:>:]]' OR lower(…) ~ '[[:<:]](insert|copy)[[:>:]]'
 *             AND (EXISTS (SELECT FROM pg_trigger AS i JOIN …) OR EXISTS (SELECT FROM pg_rewrite AS w WHERE w.ev_type = '3' …))
 *           OR EXISTS (SELECT FROM pg_proc AS f WHERE f.oid >= 16384 AND f.provolatile <> 'i' AND f.oid <> p.oid
 *             AND strpos(lower(p.prosrc), lower(f.proname)) > 0))))
 *
 * @param sharing as that of Graph
 */
export function changingTriggers(
  { functions, read }: CalledNames,
  { target }: Root,
  plan: Plan,
  sharing: Graph['sharing'],
): string {
  const { primaryKey } = target.relation;
  const changed = [
    ...plan.deletions.map(({ relation }) => relation),
    ...plan.keys.map(({ referencing }) => referencing),
  ];
  const tables = [...new Set(changed.flatMap(sharing).map(({ oid }) => oid))];
  // DELETE and UPDATE.
  const fired = `g.tgrelid OPERATOR(pg_catalog.=) ANY (ARRAY[${tables.join(', ')}]::pg_catalog.oid[]) AND ${isOn('g', 24)}`;
  const intoOwn = sharing(target.relation)
    .map((relation) => addsTo(relation.name))
    .join(' OR ');
  const alone = read.length === 0 && functions.every((name) => primaryKey.includes(name));
  const may = alone ? intoOwn : `${intoOwn} OR ${mayChange(read.length > 0)}`;
  return `EXISTS (${triggers('g', 'p', 'l')} WHERE ${fired} AND (${may}))`;
}

/** Whether a trigger's source adds rows to a table of that name, in whichever schema. */
function addsTo(table: string): string {
  const name = table.replace(/[^\p{L}\p{N}_]/gu, '\\$&');
  const schema = '("[^"]+"|[^"[:space:].]+)[[:space:]]*\\.[[:space:]]*';
  const pattern = `[[:<:]](into|copy)[[:space:]]+(${schema})?"?${name}("|[^[:alnum:]_$]|$)`;
  return `p.prosrc OPERATOR(pg_catalog.~*) ${quoteLiteral(pattern)}`;
}

function mayChange(readsOthers: boolean): string {
  const adds = readsOthers ? '' : ` AND (${insertsGoOn()})`;
  return (
    `l.lanname OPERATOR(pg_catalog.<>) 'internal'` +
    ` AND (l.lanname OPERATOR(pg_catalog.<>) 'plpgsql' OR ${has('p', CHANGES)} OR ${has('p', ADDS)}${adds}` +
    ` OR EXISTS (SELECT FROM pg_catalog.pg_proc AS f WHERE f.oid OPERATOR(pg_catalog.>=) 16384 AND f.provolatile OPERATOR(pg_catalog.<>) 'i'` +
    ` AND f.oid OPERATOR(pg_catalog.<>) p.oid` +
    ` AND pg_catalog.strpos(pg_catalog.lower(p.prosrc), pg_catalog.lower(f.proname::pg_catalog.text)) OPERATOR(pg_catalog.>) 0))`
  );
}

/** Whether rows that are added anywhere may change others, by a trigger or a rule. */
function insertsGoOn(): string {
  return (
    `EXISTS (${triggers('i', 'q', 'm')} WHERE ${isOn('i', 4)} AND m.lanname OPERATOR(pg_catalog.<>) 'internal'` +
    ` AND (m.lanname OPERATOR(pg_catalog.<>) 'plpgsql' OR ${has('q', CHANGES)} OR ${has('q', ADDS)}))` +
    ` OR EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_type OPERATOR(pg_catalog.=) '3' AND w.oid OPERATOR(pg_catalog.>=) 16384)`
  );
}

function triggers(g: string, p: string, l: string): string {
  return (
    `SELECT FROM pg_catalog.pg_trigger AS ${g} JOIN pg_catalog.pg_proc AS ${p} ON ${p}.oid OPERATOR(pg_catalog.=) ${g}.tgfoid` +
    ` JOIN pg_catalog.pg_language AS ${l} ON ${l}.oid OPERATOR(pg_catalog.=) ${p}.prolang`
  );
}

/** @param events bits of tgtype (pg_trigger.h): 4 INSERT, 8 DELETE, 16 UPDATE */
function isOn(g: string, events: number): string {
  return (
    `NOT ${g}.tgisinternal AND ${g}.tgenabled OPERATOR(pg_catalog.<>) 'D'` +
    ` AND (${g}.tgtype OPERATOR(pg_catalog.&) ${events}::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0`
  );
}

function has(p: string, words: readonly string[]): string {
  const some = words.join('|');
  const source = `pg_catalog.lower(pg_catalog.regexp_replace(${p}.prosrc, '''(${some})''', '', 'gi'))`;
  return `${source} OPERATOR(pg_catalog.~) '[[:<:]](${some})[[:>:]]'`;
}
