/** The steps that find out which rows go: first those of the client's DELETE, then what references them. */
import type { ForeignKey, Relation } from '../graph/model.js';
import { cascades, type Deletion, grouped, type Plan } from '../plan/plan.js';
import type { DeleteStatement } from './delete-statement.js';
import type { Arm, ScriptDialect } from './dialects/script-dialect.js';
import type { Step } from './dialects/step.js';
import { anyOf, copyName, type Kept, type Rows } from './rows.js';

export interface Collecting {
  readonly plan: Plan;
  readonly rows: Rows;
  readonly dialect: ScriptDialect;
  readonly statement: DeleteStatement;
}

/** A temporary table, and what gives its columns and no row. */
export interface Temporary {
  readonly name: string;
  readonly select: string;
}

/** @returns the steps, and the temporary tables that they fill */
export function collectSteps(known: Collecting): {
  readonly steps: readonly (Step & { readonly fills: readonly string[] })[];
  readonly temporaries: readonly Temporary[];
} {
  const { plan, rows, dialect } = known;
  const temporaries = [...rows.kept.values()].map((kept) => structureOf(kept, known));
  const steps: (Step & { readonly fills: readonly string[] })[] = [];
  const done = new Set<number>();
  const cyclic = grouped(
    plan.deletions.filter(({ cycle }) => cycle !== undefined),
    ({ cycle }) => cycle,
  );
  const inCycle = new Set([...cyclic.values()].flat().map(({ relation }) => relation));
  for (const deletion of plan.deletions) {
    const kept = rows.kept.get(deletion.relation);
    if (!kept || done.has(deletion.id)) continue;
    if (deletion.origin === 'client' && inCycle.has(deletion.relation)) continue;
    if (deletion.cycle === undefined) {
      rows.begin();
      const select =
        deletion.origin === 'client' ? clientSelect(kept, known) : keySelect(kept, deletion.keys, known);
      const about =
        deletion.origin === 'client'
          ? `the rows of ${deletion.relation.name} that the DELETE names`
          : whatGoes(kept);
      steps.push({ kind: 'collect', about, lines: [insert(dialect, kept.name, select)], fills: [kept.name] });
      continue;
    }
    const members = cyclic.get(deletion.cycle) ?? [];
    for (const { id } of members) done.add(id);
    const cycle = cycleSteps(members, `pgc_cycle_${[...cyclic.keys()].indexOf(deletion.cycle) + 1}`, known);
    steps.push(...cycle.steps);
    temporaries.push(...cycle.temporaries);
  }
  return { steps, temporaries };
}

/** Copies of what was filled, for an engine whose statements can name a temporary table once. */
export function withCopies(
  { lines, fills, ...step }: Step & { readonly fills: readonly string[] },
  { copies }: Rows,
  dialect: ScriptDialect,
): Step {
  const copied = fills.flatMap((name) =>
    Array.from({ length: copies.get(name) ?? 0 }, (_, i) =>
      insert(dialect, copyName(name, i + 1), `SELECT * FROM ${dialect.quote(name)}`),
    ),
  );
  return { ...step, lines: [...lines, ...copied] };
}

function structureOf(kept: Kept, { rows, dialect }: Collecting): Temporary {
  const select = `SELECT ${rows.selected(kept, '').join(', ')} FROM ${dialect.table(kept.relation)} LIMIT 0`;
  return { name: kept.name, select };
}

/** SELECT u."id" FROM users AS u WHERE <the client's> */
function clientSelect(kept: Kept, { rows, statement }: Collecting, before: readonly string[] = []): string {
  const { from, reference, using, rest } = statement;
  const columns = [...before, ...rows.selected(kept, `${reference}.`)].join(', ');
  // A row that USING joins with several is one row.
  const distinct = using === '' ? '' : 'DISTINCT ';
  return `SELECT ${distinct}${columns}\nFROM ${[from, using].filter(Boolean).join(', ')}${rest && `\n${rest}`}`;
}

/** SELECT "id" FROM "users" WHERE "org_id" IN (SELECT "id" FROM "pgc_orgs") */
function keySelect(
  kept: Kept,
  keys: readonly ForeignKey[],
  { rows, dialect }: Collecting,
  before: readonly string[] = [],
): string {
  const columns = [...before, ...rows.selected(kept, '')].join(', ');
  const condition = anyOf(keys.filter(cascades).map((key) => rows.byKey(key)));
  return `SELECT ${columns} FROM ${dialect.table(kept.relation)}\nWHERE ${condition}`;
}

function insert(dialect: ScriptDialect, name: string, select: string): string {
  return `INSERT INTO ${dialect.quote(name)}\n${select};`;
}

function whatGoes({ relation }: Kept): string {
  return `the rows of ${relation.name} that go with them`;
}

/** A member of a cycle, with the columns of the cycle's table that are its own. */
interface CycleMember {
  readonly kept: Kept;
  readonly keys: readonly ForeignKey[];
  readonly columns: readonly string[];
}

/**
 * Rows of tables that reference each other, or themselves, are searched until no more are found. The table of a cycle has the columns of
 * all its members side by side, and in `member` which of them a row is of.
 */
function cycleSteps(
  deletions: readonly Deletion[],
  name: string,
  known: Collecting,
): {
  readonly steps: readonly (Step & { readonly fills: readonly string[] })[];
  readonly temporaries: readonly Temporary[];
} {
  const { rows, dialect, plan } = known;
  const single = deletions.length === 1;
  const members = deletions.flatMap(({ relation, keys }, i): CycleMember[] => {
    const kept = rows.kept.get(relation);
    const prefix = single ? '' : `${i}_`;
    return kept ? [{ kept, keys, columns: kept.columns.map(({ as }) => `${prefix}${as}`) }] : [];
  });
  const inside = new Map(members.map(({ kept }, i): [Relation, number] => [kept.relation, i]));
  const all = members.flatMap(({ columns }) => columns);
  const target = ({ columns }: CycleMember) => {
    const list = single ? columns : ['member', ...columns];
    return `${dialect.quote(name)} (${list.map(dialect.quote).join(', ')})`;
  };
  const seeds = members.flatMap((member, i) => {
    const before = single ? [] : [String(i)];
    const client = plan.deletions.find(
      ({ origin, relation }) => origin === 'client' && relation === member.kept.relation,
    );
    const outside = member.keys.filter((key) => cascades(key) && !inside.has(key.referenced));
    rows.begin();
    const found = outside.length > 0 ? [keySelect(member.kept, outside, known, before)] : [];
    return [...(client ? [clientSelect(member.kept, known, before)] : []), ...found].map(
      (select) => `INSERT INTO ${target(member)}\n${select};`,
    );
  });
  const arms = members.flatMap((member, i) =>
    member.keys
      .filter((key) => cascades(key) && inside.has(key.referenced))
      .map((key) => armOf(key, i, inside.get(key.referenced) ?? 0, members, known)),
  );
  const closed = single ? (members[0]?.kept.name ?? name) : `${name}_all`;
  const closure = insert(dialect, closed, dialect.closure(dialect.quote(name), arms));
  const spread = single
    ? []
    : members.map(({ kept, columns }, i) =>
        insert(
          dialect,
          kept.name,
          `SELECT ${columns.map(dialect.quote).join(', ')} FROM ${dialect.quote(closed)} WHERE ${dialect.quote('member')} = ${i}`,
        ),
      );
  const structure = structureOfCycle(members, all, known);
  return {
    steps: [
      {
        kind: 'collect',
        about: `where the search through ${namesOf(members)} begins`,
        lines: seeds,
        fills: [],
      },
      {
        kind: 'collect',
        about: `the rows of ${namesOf(members)} that go, found until there are no more`,
        lines: [closure, ...spread],
        fills: members.map(({ kept }) => kept.name),
      },
    ],
    temporaries: [{ name, select: structure }, ...(single ? [] : [{ name: closed, select: structure }])],
  };
}

function namesOf(members: readonly CycleMember[]): string {
  return members.map(({ kept }) => kept.relation.name).join(', ');
}

/** The rows of one member that reference a row of another one, or of itself, which was found before. */
function armOf(
  key: ForeignKey,
  to: number,
  from: number,
  members: readonly CycleMember[],
  { rows, dialect }: Collecting,
): Arm {
  const single = members.length === 1;
  const referenced = (column: string) => {
    const { kept, columns } = members[from] ?? { kept: undefined, columns: [] };
    const at = kept?.columns.findIndex((each) => each.column === column) ?? -1;
    return `p.${dialect.quote(columns[at] ?? column)}`;
  };
  // NULLs of the right types: of a row of each other member that is not there.
  const others = members.flatMap(({ kept }, i) =>
    i === to || !dialect.typesNulls ? [] : [` LEFT JOIN ${dialect.table(kept.relation)} AS m${i} ON 1 = 0`],
  );
  const columns = members.flatMap(({ kept }, i) => {
    if (i === to) return rows.selected(kept, 'c.');
    return dialect.typesNulls ? rows.selected(kept, `m${i}.`) : kept.columns.map(() => 'NULL');
  });
  const relation = dialect.table(key.referencing);
  const isFrom = single ? [] : [`p.${dialect.quote('member')} = ${from}`];
  return {
    columns: [...(single ? [] : [String(to)]), ...columns],
    from: others.length > 0 ? `(${relation} AS c${others.join('')})` : `${relation} AS c`,
    condition: [...isFrom, rows.joined(key, referenced, 'c.')].join(' AND '),
  };
}

/** SELECT 0 AS member, CASE WHEN o.one = 0 THEN m0.id END AS 0_id, … FROM (SELECT 1 AS one) AS o LEFT JOIN a AS m0 ON 1 = 0 LEFT JOIN b AS m1 … LIMIT 0 */
function structureOfCycle(
  members: readonly CycleMember[],
  all: readonly string[],
  { rows, dialect }: Collecting,
): string {
  const [first, ...others] = members;
  if (!first) return '';
  if (others.length === 0)
    return `SELECT ${rows.selected(first.kept, '').join(', ')} FROM ${dialect.table(first.kept.relation)} LIMIT 0`;
  const own = members.flatMap(({ kept }, i) =>
    rows.selected({ ...kept, columns: kept.columns.map(({ column }) => ({ column, as: column })) }, `m${i}.`),
  );
  // By CASE a column is one that takes NULL, whatever it is in its own table.
  const columns = own.map(
    (column, i) => `CASE WHEN o.one = 0 THEN ${column} END AS ${dialect.quote(all[i] ?? '')}`,
  );
  const tables = members.map(({ kept }, i) => `${dialect.table(kept.relation)} AS m${i}`);
  return `SELECT 0 AS ${dialect.quote('member')}, ${columns.join(', ')}\nFROM (SELECT 1 AS one) AS o ${tables.map((table) => `LEFT JOIN ${table} ON 1 = 0`).join(' ')} LIMIT 0`;
}
