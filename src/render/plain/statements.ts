/**
 * The statements of a sequence of plain statements, which any database understands: each is about one table, and has the keys of rows that
 * earlier statements have found as literals.
 */
import type { ForeignKey, Relation } from '../../graph/model.js';
import { type Check, cascades, type Plan, setsColumns } from '../../plan/plan.js';
import type { Family } from '../../profiles/families/family.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { Counted } from '../single/counts.js';
import { type FoundRows, heldTables, type Level } from './found-rows.js';
import { chunksOf, inList, inLists, type Key, type LiteralForm } from './literals.js';

/** What the statements are made from. */
export interface PlainContext extends LiteralForm {
  readonly plan: Plan;
  readonly rows: FoundRows;
  /** Whether the SELECT that finds rows also locks them. */
  readonly locks: boolean;
}

export interface Collecting {
  /** The table whose rows it finds; it returns the columns of the HeldTable. */
  readonly relation: Relation;
  readonly sql: string;
}

/**
 * Finds the rows that reference those of a level, or of all levels where none is given: the items of the orders 1 and 2, where another table
 * references items.
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

/** `REFRESH TABLE "doc"."items"`, on servers where a query does not see earlier writes without it. */
export function refreshTables({ plan }: PlainContext, { plain }: Family): readonly string[] {
  const { refresh } = plain;
  if (refresh === undefined) return [];
  const tables = new Set(plan.keys.flatMap(({ referenced, referencing }) => [referenced, referencing]));
  return [...tables].map((table) => refresh.replace('{table}', () => quoteRelation(table)));
}

/** A query about a rule. In `askRules`, a row that it returns breaks the rule, and has the key that is still referenced. */
export interface RuleQuestion {
  /** The index of the rule in the plan's checks. */
  readonly check: number;
  readonly sql: string;
}

/**
 * RESTRICT is broken by any row that references a deleted one, NO ACTION only by a row that is not deleted too:
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

/** Whether a referencing row that is deleted too keeps the rule. */
function isExempt({ key, gone }: Check & { kind: 'rows' }): boolean {
  return gone === 'all' || (gone === 'some' && key.action === 'no action');
}

/**
 * Counts the rows that reference nothing by a SET DEFAULT key. If there are more after the cascade than before, a default references nothing:
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

/** A statement that updates or deletes rows of one table. */
export interface Changing {
  readonly sql: string;
  readonly takes: Counted;
}

/** `UPDATE "public"."notes" SET "order_id" = NULL WHERE "order_id" IN (1, 2)`, without the rows that are deleted too. */
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
 * Deletes the rows below the client's own, leaves first. The rows of a table that no key references are not held, so they are deleted by
 * their referencing columns; all others by their primary key.
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

/** Deletes the client's own rows: their number is in the tag that the client gets. */
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

/** Deletes all rows where each statement is a transaction of its own: first those of tables that no key references, then layer by layer (layers.ts). */
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

/** Queries that return a row where another transaction has committed one that references a deleted row, by any key: the run has to be repeated. */
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

/** ` AND CASE WHEN … THEN 1 ELSE 0 END = 0`: leaves out the rows of a table that the plan deletes; empty where it deletes none. */
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
