/** Random tables that reference each other, rows in them, and a DELETE; the same for the same seed. */

export interface RandomCase {
  readonly seed: number;
  readonly schema: string;
  readonly rows: string;
  readonly statement: string;
}

const ACTIONS = [
  ...['CASCADE', 'CASCADE', 'CASCADE', 'CASCADE', 'CASCADE', 'SET NULL', 'SET NULL'],
  ...['RESTRICT', 'NO ACTION'],
] as const;

export function randomCase(seed: number): RandomCase {
  const random = generator(seed);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const pick = <T>(values: readonly T[]): T => values[upTo(values.length - 1)] as T;
  const count = 2 + upTo(3);
  const sizes = Array.from({ length: count }, () => 1 + upTo(5));
  const isComposite = Array.from({ length: count }, () => upTo(3) === 0);
  const tables = Array.from({ length: count }, (_, table) => {
    const keys = Array.from({ length: table === 0 ? upTo(1) : 1 + upTo(1) }, () => {
      // Most keys reference a table that is there already: else nearly all is one cycle.
      const to = upTo(3) === 0 ? upTo(count - 1) : upTo(Math.max(table - 1, 0));
      return { to, action: pick(ACTIONS) };
    });
    return keys;
  });
  const schema = tables.map((keys, table) => {
    const columns = ['id INT NOT NULL', 'part INT NOT NULL', 'PRIMARY KEY (id)', 'UNIQUE (part, id)'];
    const references = keys.flatMap(({ to, action }, i) => {
      const name = `k${table}_${i}`;
      return isComposite[to]
        ? [
            `p${i} INT`,
            `r${i} INT`,
            `CONSTRAINT ${name} FOREIGN KEY (p${i}, r${i}) REFERENCES t${to} (part, id) ON DELETE ${action}`,
          ]
        : [
            `p${i} INT`,
            `r${i} INT`,
            `CONSTRAINT ${name} FOREIGN KEY (r${i}) REFERENCES t${to} (id) ON DELETE ${action}`,
          ];
    });
    const all = [...columns, ...references];
    const isConstraint = (part: string) => /^(?:PRIMARY|UNIQUE|CONSTRAINT)/.test(part);
    return `CREATE TABLE t${table} (${[...all.filter((part) => !isConstraint(part)), ...all.filter(isConstraint)].join(', ')});`;
  });
  const rows = tables.flatMap((keys, table) =>
    Array.from({ length: sizes[table] ?? 0 }, (_, row) => {
      const values = keys.flatMap(({ to }) => {
        const other = 1 + upTo((sizes[to] ?? 1) - 1);
        const isNull = upTo(3) === 0;
        return isNull ? ['NULL', 'NULL'] : [String(partOf(other)), String(other)];
      });
      return `INSERT INTO t${table} VALUES (${[row + 1, partOf(row + 1), ...values].join(', ')});`;
    }),
  );
  const target = upTo(Math.min(1, count - 1));
  const ids = Array.from({ length: 1 + upTo(2) }, () => 1 + upTo((sizes[target] ?? 1) - 1));
  return {
    seed,
    schema: schema.join('\n'),
    rows: rows.join('\n'),
    statement: `DELETE FROM t${target} WHERE id IN (${ids.join(', ')})`,
  };
}

/** What the rows of one id have in their other column. */
function partOf(id: number): number {
  return id % 3;
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
