/**
 * Finds the user's code that runs with a batch and may change which rows the WHERE of the next batch finds: it could miss rows whose
 * children are gone, or find rows that one statement would have left.
 */
import { sqlFile } from '../../graph/catalog/sql-file.js';
import type { Graph } from '../../graph/graph.js';
import type { Plan } from '../../plan/plan.js';
import { quoteLiteral } from '../../sql/names.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import type { Root } from '../single/root.js';

const INTERFERING_CODE = sqlFile('interfering-code.sql', import.meta.url);

/** Each a pattern of its own: what stands first in one decides for all of it whether the shortest or the longest is found. */
const BLOCKS = '/[*].*?[*]/';
const LINES = '--[^\\n]*';

const without = (pattern: string, text: string) =>
  `pg_catalog.regexp_replace(${text}, '${pattern}', ' ', 'g')`;

/**
 * A function with what its source says. `code` has that twice more without comments, which may stand anywhere, and in which
 * the one kind may begin what looks like the other; and never the words that TG_OP is compared with. OFFSET 0 keeps the server from
 * computing `words` again for each name that is looked for in them.
 */
const source = (oid: string) =>
  `LATERAL (SELECT p.oid, p.prorettype OPERATOR(pg_catalog.=) 'pg_catalog.trigger'::pg_catalog.regtype AS trigger, l.lanname AS language, pg_catalog.lower(p.prosrc) AS text,` +
  ` pg_catalog.concat_ws(' ', c.code, ${without(BLOCKS, without(LINES, 'c.code'))}, ${without(LINES, without(BLOCKS, 'c.code'))}) AS code,` +
  ` pg_catalog.regexp_split_to_array(pg_catalog.lower(p.prosrc), '[^[:alnum:]_$]+') AS words` +
  ` FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid OPERATOR(pg_catalog.=) p.prolang CROSS JOIN LATERAL` +
  ` (SELECT pg_catalog.regexp_replace(pg_catalog.lower(p.prosrc), '''(insert|update|delete|truncate)''', '', 'g')) AS c (code)` +
  ` WHERE p.oid OPERATOR(pg_catalog.=) ${oid} OFFSET 0) AS s`;

/**
 * Whether a trigger that a batch fires, or a CHECK that it has evaluated, adds rows to the table that the client deletes from, which a
 * later batch would take, or changes what the WHERE looks at: by itself, or by anything that it may call or write to. What cannot be read is
 * taken to do so. A condition (interfering-code.sql).
 *
 * @param sharing as that of Graph
 */
export function interferingCode(
  { functions, read }: CalledNames,
  { target }: Root,
  plan: Plan,
  sharing: Graph['sharing'],
): string {
  const { primaryKey } = target.relation;
  const own = sharing(target.relation);
  const changed = [
    ...plan.deletions.map(({ relation }) => relation),
    ...plan.keys.map(({ referencing }) => referencing),
  ];
  const isAlone = read.length === 0 && functions.every((name) => primaryKey.includes(name));
  const values: Readonly<Record<string, string>> = {
    SOURCE: source('r.oid'),
    TRIGGER_SOURCE: source('g.tgfoid'),
    TABLES: oids(changed.flatMap(sharing)),
    OWN: oids(own),
    OWN_NAMES: anyOf(own.map(({ name }) => name)),
    // A BEFORE trigger may also take another row in the place of the one that is updated.
    KEY: words([...primaryKey, 'select', 'into', 'row']),
    KEY_NAMES: anyOf(primaryKey),
    ALONE: String(isAlone),
    READS: String(read.length > 0),
  };
  return INTERFERING_CODE.replace(
    /\$([A-Z_]+)\$/g,
    (placeholder, name: string) => values[name] ?? placeholder,
  );
}

function oids(relations: readonly { readonly oid: number }[]): string {
  return `ARRAY[${[...new Set(relations.map(({ oid }) => oid))].join(', ')}]::pg_catalog.oid[]`;
}

function words(names: readonly string[]): string {
  return `ARRAY[${names.map((name) => quoteLiteral(name.toLowerCase())).join(', ')}]::pg_catalog.text[]`;
}

/** Names as a regular expression, as they stand in a text. */
function anyOf(names: readonly string[]): string {
  const escaped = names.map((name) => name.replaceAll('"', '""').replace(/[^\p{L}\p{N}_]/gu, '\\$&'));
  return quoteLiteral(escaped.join('|'));
}
