/**
 * The statements of a sequence that any database understands: each is about one table, and has the keys of the rows that
 * earlier ones have found as literals.
 */
import type { ForeignKey, Relation } from '../../graph/model.js';
import { type Check, cascades, type Plan, setsColumns } from '../../plan/plan.js';
import type { Family } from '../../profiles/families/family.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { Counted } from '../single/counts.js';
import { type FoundRows, heldTables, type Level } from './found-rows.js';
import { chunksOf, inList, inLists, type Key, type LiteralForm } from './literals.js';

/** What is rendered with. */
export interface PlainContext extends LiteralForm {
  readonly plan: Plan;
  readonly rows: FoundRows;
  /** Rows that are found are locked by the SELECT that finds them. */
  readonly locks: boolean;
}

export interface Collecting {
  /** What it finds rows of, with the columns of its HeldTable. */
  readonly relation: Relation;
  readonly sql: string;
}

/**
 * The rows that reference those of a level, or all that are known: of the orders 1 and 2 their items, where others reference items.
 *
 *     SELECT "id" FROM "public"."items" WHERE "order_id" IN (1, 2) FOR UPDATE
 */
export function collect(level: Level | undefined, context: PlainContext): readonly Collecting[] {
  const { locks, plan, rows } = context;
  const held = heldTables(plan);
  return plan.keys.filter(cascades).flatMap((key) => {
    const table = held.get(key.referencing);
    if (table === undefined) return [];
    const list = table.columns.map(quoteName).join(', ');
    const lock = locks ? ' FOR UPDATE' : '';
    return chunksOf(rows.referencedBy(key, level), context).map((chunk) => ({
      relation: key.referencing,
      sql: `SELECT ${list} FROM ${quoteRelation(key.referencing)} WHERE ${inList(referencing(key), chunk, context)}${lock}`,
    }));
  });
}

/** `REFRESH TABLE "doc"."items"`, where what was written before is not seen without that. */
export function refreshTables({ plan }: PlainContext, { plain }: Family): readonly string[] {
  const { refresh } = plain;
  if (refresh === undefined) return [];
  const tables = new Set(plan.keys.flatMap(({ referenced, referencing }) => [referenced, referencing]));
  return [...tables].map((table) => refresh.replace('{table}', () => quoteRelation(table)));
}

/** A question whose first row, if there is one, breaks a rule: it has the key that is still referenced. */
export interface RuleQuestion {
  /** Its place among the plan's checks. */
  readonly check: number;
  readonly sql: string;
}

/**
 * RESTRICT asks for any row, NO ACTION for one that is not deleted too:
 *
 *     SELECT "order_id" FROM "public"."bills" WHERE "order_id" IN (1, 2)
 *       AND CASE WHEN "id" IN (7) THEN 1 ELSE 0 END = 0 LIMIT 1
 */
export function askRules(context: PlainContext): readonly RuleQuestion[] {
  const { plan, rows } = context;
  return plan.checks.flatMap((check, number) => {
    if (check.kind !== 'rows') return [];
    const { key } = check;
    const stays = isExempt(check) ? stayingRows(key.referencing, context) : '';
    const list = referencing(key).map(quoteName).join(', ');
    return chunksOf(rows.referencedBy(key), context).map((chunk) => ({
      check: number,
      sql: `SELECT ${list} FROM ${quoteRelation(key.referencing)} WHERE ${inList(referencing(key), chunk, context)}${stays} LIMIT 1`,
    }));
  });
}

/** Whether rows that are deleted as well break no rule. */
function isExempt({ key, gone }: Check & { kind: 'rows' }): boolean {
  return gone === 'all' || (gone === 'some' && key.action === 'no action');
}

/**
 * How many rows reference nothing by a SET DEFAULT key: more than before are rows whose default references nothing.
 *
 *     SELECT count(*) FROM "public"."items" AS r WHERE r."order_id" IS NOT NULL
 *       AND NOT EXISTS (SELECT 1 FROM "public"."orders" AS d WHERE d."id" = r."order_id")
 */
export function countOrphans({ checks }: Plan): readonly RuleQuestion[] {
  return checks.flatMap(({ kind, key: { columns, referenced, referencing: table } }, check) => {
    if (kind !== 'new key') return [];
    const given = columns.map((column) => `r.${quoteName(column.referencing)} IS NOT NULL`);
    const same = columns.map(
      (column) => `d.${quoteName(column.referenced)} = r.${quoteName(column.referencing)}`,
    );
    const found = `SELECT 1 FROM ${quoteRelation(referenced)} AS d WHERE ${same.join(' AND ')}`;
    return [
      {
        check,
        sql: `SELECT count(*) FROM ${quoteRelation(table)} AS r WHERE ${given.join(' AND ')} AND NOT EXISTS (${found})`,
      },
    ];
  });
}

/** A statement that changes or deletes rows, of one table. */
export interface Changing {
  readonly sql: string;
  readonly takes: Counted;
}

/** `UPDATE "public"."notes" SET "order_id" = NULL WHERE "order_id" IN (1, 2)`, but for rows that are deleted as well. */
export function changeRows(context: PlainContext): readonly Changing[] {
  const { plan, rows } = context;
  return plan.keys.filter(setsColumns).flatMap((key) => {
    const { referencing: relation } = key;
    const action = key.action === 'set null' ? 'set null' : 'set default';
    const value = action === 'set null' ? 'NULL' : 'DEFAULT';
    const sets = key.setColumns.map((column) => `${quoteName(column)} = ${value}`).join(', ');
    const stays = stayingRows(key.referencing, context);
    return chunksOf(rows.referencedBy(key), context).map((chunk) => ({
      sql: `UPDATE ${quoteRelation(relation)} SET ${sets} WHERE ${inList(referencing(key), chunk, context)}${stays}`,
      takes: { relation, action },
    }));
  });
}

/**
 * Leaves first: the rows that nothing references by the keys by which they reference, the others by what tells them apart.
 *
 *     DELETE FROM "public"."parts" WHERE "item_id" IN (10, 20)
 *     DELETE FROM "public"."items" WHERE "id" IN (10, 20)
 */
export function deleteBelow(context: PlainContext): readonly Changing[] {
  const { plan, rows } = context;
  const [client] = plan.deletions;
  const held = heldTables(plan);
  return plan.deletions.toReversed().flatMap(({ relation, origin, keys }) => {
    if (origin === 'client' || client === undefined) return [];
    const table = held.get(relation);
    const found = table
      ? [{ columns: table.identity, keys: rows.identities(relation, 'key', client.relation) }]
      : keys.map((key) => ({ columns: referencing(key), keys: rows.referencedBy(key) }));
    return found.flatMap((each) =>
      deletions({ relation, action: 'cascade' }, each.columns, each.keys, context),
    );
  });
}

/** The client's own rows: the counts of these are its tag. */
export function deleteRoots(context: PlainContext): readonly Changing[] {
  const { plan, rows } = context;
  const [client] = plan.deletions;
  const table = client && heldTables(plan).get(client.relation);
  if (!table) return [];
  return deletions(
    { relation: table.relation, action: 'delete' },
    table.identity,
    rows.identities(table.relation, 'client', table.relation),
    context,
  );
}

/** All of it, where each statement stays by itself: first what nothing references, then layer by layer (layers.ts). */
export function deleteInLayers(context: PlainContext): readonly Changing[] {
  const { plan, rows } = context;
  const held = heldTables(plan);
  const leaves = plan.deletions.flatMap(({ relation, keys }) =>
    held.has(relation) ? [] : keys.map((key) => ({ relation, key })),
  );
  const inLayers = rows.layers?.fromBelow().flatMap((layer) =>
    [...layer].flatMap(([relation, names]) =>
      (['key', 'client'] as const).flatMap((origin) => {
        const keys = names[origin].map((name): Key => JSON.parse(name));
        const columns = held.get(relation)?.identity ?? [];
        const action = origin === 'client' ? 'delete' : 'cascade';
        return deletions({ relation, action }, columns, keys, context);
      }),
    ),
  );
  return [
    ...leaves.flatMap(({ relation, key }) =>
      deletions({ relation, action: 'cascade' }, referencing(key), rows.referencedBy(key), context),
    ),
    ...(inLayers ?? []),
  ];
}

/** Gives a row where one has come since that references, by any key, a row that is gone: all has to be done once more. */
export function sweep(context: PlainContext): readonly string[] {
  const { plan, rows } = context;
  return plan.keys.flatMap((key) =>
    chunksOf(rows.referencedBy(key), context).map(
      (chunk) =>
        `SELECT 1 FROM ${quoteRelation(key.referencing)} WHERE ${inList(referencing(key), chunk, context)} LIMIT 1`,
    ),
  );
}

function deletions(
  takes: Counted,
  columns: readonly string[],
  keys: Parameters<typeof inList>[1],
  context: PlainContext,
): readonly Changing[] {
  return chunksOf(keys, context).map((chunk) => ({
    sql: `DELETE FROM ${quoteRelation(takes.relation)} WHERE ${inList(columns, chunk, context)}`,
    takes,
  }));
}

/** ` AND CASE WHEN … THEN 1 ELSE 0 END = 0`: rows of a table that the plan does not delete; nothing where it deletes none. */
function stayingRows(relation: Relation, context: PlainContext): string {
  const { plan, rows } = context;
  const [client] = plan.deletions;
  const table = heldTables(plan).get(relation);
  const gone = plan.deletions
    .filter((deletion) => deletion.relation === relation)
    .flatMap(({ keys }) =>
      table && client
        ? [inLists(table.identity, rows.identities(relation, 'any', client.relation), context)]
        : keys.map((key) => inLists(referencing(key), rows.referencedBy(key), context)),
    );
  const distinct = [...new Set(gone)];
  return distinct.length === 0 ? '' : ` AND CASE WHEN ${distinct.join(' OR ')} THEN 1 ELSE 0 END = 0`;
}

function referencing({ columns }: ForeignKey): readonly string[] {
  return columns.map((column) => column.referencing);
}
