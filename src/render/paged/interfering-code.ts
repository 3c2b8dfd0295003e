/**
 * Finds user code (triggers, functions, CHECKs) that a batch runs and that may change which rows the WHERE of the next batch finds. The next
 * batch could miss rows whose children the batch has deleted, or delete rows that one statement would have left.
 */
import { sqlFile } from '../../graph/catalog/sql-file.js';
import type { Graph } from '../../graph/graph.js';
import type { Plan } from '../../plan/plan.js';
import { quoteLiteral } from '../../sql/names.js';
import type { CalledNames } from '../../sql/statement/selection.js';
import type { Root } from '../single/root.js';

const INTERFERING_CODE = sqlFile('interfering-code.sql', import.meta.url);

/** Two patterns, not one: the first quantifier of a regular expression decides whether all of it is greedy (functions-matching.html#POSIX-MATCHING-RULES). */
const BLOCKS = '/[*].*?[*]/';
const LINES = '--[^\\n]*';

const without = (pattern: string, text: string) =>
  `pg_catalog.regexp_replace(${text}, '${pattern}', ' ', 'g')`;

/**
 * A function with its source. `code` has the source as it is, and twice more without comments, `--` removed first and then blocks first, as one
 * kind of comment may contain the beginning of the other. String literals that TG_OP is compared with are removed from it. OFFSET 0 keeps the
 * server from computing `words` again for each name that is searched in them.
 */
const source = (oid: string) =>
  `LATERAL (SELECT p.oid, p.prorettype OPERATOR(pg_catalog.=) 'pg_catalog.trigger'::pg_catalog.regtype AS trigger, l.lanname AS language, pg_catalog.lower(p.prosrc) AS text,` +
  ` pg_catalog.concat_ws(' ', c.code, ${without(BLOCKS, without(LINES, 'c.code'))}, ${without(LINES, without(BLOCKS, 'c.code'))}) AS code,` +
  ` pg_catalog.regexp_split_to_array(pg_catalog.lower(p.prosrc), '[^[:alnum:]_$]+') AS words` +
  ` FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid OPERATOR(pg_catalog.=) p.prolang CROSS JOIN LATERAL` +
  ` (SELECT pg_catalog.regexp_replace(pg_catalog.lower(p.prosrc), '''(insert|update|delete|truncate)''', '', 'g')) AS c (code)` +
  ` WHERE p.oid OPERATOR(pg_catalog.=) ${oid} OFFSET 0) AS s`;

/**
 * A condition (interfering-code.sql): a trigger that a batch fires, or a CHECK that a batch evaluates, may insert rows into the table that the
 * client deletes from, or may change what the WHERE reads, itself or through anything that it calls or writes to. Code that cannot be read
 * counts as code that does.
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
  const targets = sharing(target.relation);
  const changed = [
    ...plan.deletions.map(({ relation }) => relation),
    ...plan.keys.map(({ referencing }) => referencing),
  ];
  const readsKeyAlone = read.length === 0 && functions.every((name) => primaryKey.includes(name));
  const values: Readonly<Record<string, string>> = {
    SOURCE: source('r.oid'),
    TRIGGER_SOURCE: source('g.tgfoid'),
    TABLES: oids(changed.flatMap(sharing)),
    TARGET: oids(targets),
    TARGET_NAMES: anyOf(targets.map(({ name }) => name)),
    // A BEFORE trigger may also assign a whole row to NEW.
    KEY_WORDS: words([...primaryKey, 'select', 'into', 'row']),
    KEY_NAMES: anyOf(primaryKey),
    READS_KEY_ALONE: String(readsKeyAlone),
    READS_OTHERS: String(read.length > 0),
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

/** A regular expression that matches any of these names, as SQL spells them. */
function anyOf(names: readonly string[]): string {
  const escaped = names.map((name) => name.replaceAll('"', '""').replace(/[^\p{L}\p{N}_]/gu, '\\$&'));
  return quoteLiteral(escaped.join('|'));
}
