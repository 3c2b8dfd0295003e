/** What the role may not do, and pgcascade needs: all that it sends has the rights of whoever sends the statement. */
import type { Config } from '../config/schema.js';
import type { ForeignKey, Relation } from '../graph/model.js';
import type { Ask } from '../graph/watch/connection.js';
import { isGuarded } from '../plan/guard.js';
import { cascades, setsColumns } from '../plan/plan.js';
import { quoteName, quoteRelation } from '../sql/names.js';
import type { Finding } from './finding.js';
import { describeKey } from './from-graph.js';

type Cascade = Pick<Config['cascade'], 'guard' | 'locks' | 'strategy'>;

/** One of them, on the whole table (lockcmds.c, LockTableAclCheck). */
const ANY_CHANGE = 'UPDATE, DELETE, TRUNCATE';

interface Need {
  /** As has_table_privilege and its like name it. USAGE is that of the relation's schema. */
  readonly privilege: 'USAGE' | 'DELETE' | 'SELECT' | 'UPDATE' | typeof ANY_CHANGE;
  readonly relation: Relation;
  /** null: any of its columns. */
  readonly column: string | null;
  readonly key: ForeignKey;
  readonly of: Purpose;
}

/** What needs it: a cascade; its locks on rows, without which it is sent too; those on tables; or the look at new keys. */
type Purpose = 'cascade' | 'locks' | 'tables' | 'guard';

const OUTCOMES: Readonly<Record<Purpose, (key: ForeignKey) => string>> = {
  cascade: ({ referenced }) => `its DELETE from ${quoteRelation(referenced)} fails with 42501`,
  locks: ({ referenced }) =>
    `its DELETE from ${quoteRelation(referenced)} is sent without locks, whatever cascade.locks says`,
  tables: ({ referenced }) =>
    `its DELETE from ${quoteRelation(referenced)} fails with 42501, as cascade.locks has the table locked`,
  guard: ({ referencing }) =>
    `what it writes to ${quoteRelation(referencing)} fails with 42501, as cascade.guard has the row locked`,
};

/**
 * Of each table, privilege and purpose the first key that needs it.
 * @param keys those whose actions the proxy performs
 * @param role the one that asks, for the message
 * @throws the error of the system or of the server
 */
export async function rightFindings(
  keys: readonly ForeignKey[],
  cascade: Cascade,
  role: string,
  ask: Ask,
): Promise<readonly Finding[]> {
  const needs = keys.flatMap((key) => needsOf(key, cascade));
  if (needs.length === 0) return [];
  const rows = await ask(
    `SELECT CASE WHEN privilege OPERATOR(pg_catalog.=) 'USAGE' THEN pg_catalog.has_schema_privilege(schema, privilege)
       WHEN privilege OPERATOR(pg_catalog.=) ANY (ARRAY['DELETE', '${ANY_CHANGE}']) THEN pg_catalog.has_table_privilege(relation, privilege)
       WHEN name IS NULL THEN pg_catalog.has_any_column_privilege(relation, privilege)
       ELSE pg_catalog.has_column_privilege(relation, name, privilege) END
     FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.text[]),
       pg_catalog.unnest($3::pg_catalog.text[]), pg_catalog.unnest($4::pg_catalog.text[]))
       WITH ORDINALITY AS need (relation, schema, name, privilege, number) ORDER BY number`,
    [
      needs.map(({ relation }) => relation.oid),
      needs.map(({ relation }) => relation.schema),
      needs.map(({ column }) => column),
      needs.map(({ privilege }) => privilege),
    ],
  );
  const lacking = needs.filter((_, index) => rows[index]?.[0] === false);
  const found = new Map<string, Finding>();
  for (const need of lacking) {
    const id = `${need.of} ${need.privilege} ${placeOf(need)}`;
    if (!found.has(id)) found.set(id, finding(need, quoteName(role)));
  }
  return [...found.values()];
}

function finding(need: Need, role: string): Finding {
  const { privilege, key, of } = need;
  const place = placeOf(need);
  const [lacking, granted] =
    privilege === ANY_CHANGE ? [`all of ${ANY_CHANGE}`, 'UPDATE'] : [privilege, privilege];
  return {
    level: 'note',
    check: 'rights',
    text: `The role ${role} lacks ${lacking} on ${place}, which the key ${describeKey(key)} needs: ${OUTCOMES[of](key)}.`,
    remedy: `GRANT ${granted} ON ${place} TO ${role}; or connect as the role of the application.`,
  };
}

/** As GRANT names it. */
function placeOf({ privilege, relation }: Need): string {
  return privilege === 'USAGE' ? `SCHEMA ${quoteName(relation.schema)}` : quoteRelation(relation);
}

/** docs/differences.md and docs/strategies.md say the same. */
function needsOf(key: ForeignKey, { guard, locks, strategy }: Cascade): readonly Need[] {
  const { referencing, referenced } = key;
  const need =
    (privilege: Need['privilege'], relation: Relation, of: Purpose = 'cascade') =>
    (column: string | null): Need => ({ privilege, relation, column, key, of });
  // A row is locked with the right to UPDATE any of its columns.
  const locking = (of: Purpose) => need('UPDATE', referenced, of)(null);
  return [
    need('USAGE', referencing)(null),
    ...key.columns.map((each) => need('SELECT', referencing)(each.referencing)),
    ...key.columns.map((each) => need('SELECT', referenced)(each.referenced)),
    ...(cascades(key) ? [need('DELETE', referencing)(null)] : []),
    ...(setsColumns(key) ? key.setColumns.map(need('UPDATE', referencing)) : []),
    ...(strategy === 'ordered' ? [locking('cascade')] : []),
    ...(strategy !== 'ordered' && locks === 'rows' && !key.enforcedByServer ? [locking('locks')] : []),
    ...(locks === 'tables' && !key.enforced ? [need(ANY_CHANGE, referencing, 'tables')(null)] : []),
    ...(guard !== 'off' && isGuarded(key) ? [locking('guard')] : []),
  ];
}
