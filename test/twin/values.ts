/** The few values that columns have, in SQL and as parameters. Few, so that everything collides. */

/** The type of a column that a key references, or that references one. */
export type ValueType = 'int4' | 'int8' | 'numeric' | 'text' | 'varchar' | 'label' | 'char' | 'uuid';

/** What the ids of a table can be. */
export const ID_TYPES = ['int4', 'int8', 'numeric', 'text', 'char', 'uuid'] as const;
export type IdType = (typeof ID_TYPES)[number];

interface Form {
  readonly sql: string;
  /** Types that PostgreSQL compares with it, in keys that reference it. */
  readonly others: readonly string[];
  readonly oid: number;
  readonly text: (value: number) => string;
  readonly binary: (value: number) => Buffer;
}

const FORMS: Readonly<Record<ValueType, Form>> = {
  int4: {
    sql: 'int4',
    others: ['int8', 'int2'],
    oid: 23,
    text: String,
    binary: (value) => integer(value, 4),
  },
  int8: {
    sql: 'int8',
    others: ['int4', 'int8'],
    oid: 20,
    text: String,
    binary: (value) => integer(value, 8),
  },
  numeric: {
    sql: 'numeric',
    others: ['numeric(10,3)', 'int4'],
    oid: 1700,
    text: (value) => `${value}.0`,
    // One digit of base 10,000, no weight, positive, one digit after the point.
    binary: (value) => Buffer.from([0, 1, 0, 0, 0, 0, 0, 1, 0, value]),
  },
  text: string('text', ['varchar(20)'], 25, (value) => `v ${value}`),
  varchar: string('varchar(10)', ['text'], 1043, (value) => `c${value}`),
  label: string('varchar(5)', ['text', 'varchar(9)'], 1043, (value) => `p${value}`),
  char: string('char(4)', ['char(9)', 'varchar(9)'], 1042, (value) => `h${value}`),
  uuid: {
    sql: 'uuid',
    others: ['uuid'],
    oid: 2950,
    text: (value) => `00000000-0000-0000-0000-00000000000${value}`,
    binary: (value) => Buffer.concat([Buffer.alloc(15), Buffer.from([value])]),
  },
};

function string(sql: string, others: readonly string[], oid: number, text: (value: number) => string): Form {
  return { sql, others, oid, text, binary: (value) => Buffer.from(text(value)) };
}

function integer(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeInt32BE(value, size - 4);
  return bytes;
}

export function sqlType(type: ValueType): string {
  return FORMS[type].sql;
}

/** The type of a referencing column: the same for 0, else another one that compares with it. */
export function referencingType(type: ValueType, other: number): string {
  const { sql, others } = FORMS[type];
  return other === 0 ? sql : (others[other % others.length] ?? sql);
}

export function literal(type: ValueType, value: number): string {
  const { text } = FORMS[type];
  return isNumber(type) ? text(value) : `'${text(value)}'`;
}

export function isNumber(type: ValueType): boolean {
  return type === 'int4' || type === 'int8' || type === 'numeric';
}

export function parameterText(type: ValueType, value: number): string {
  return FORMS[type].text(value);
}

export function parameterBinary(type: ValueType, value: number): Buffer {
  return FORMS[type].binary(value);
}

export function typeOid(type: ValueType): number {
  return FORMS[type].oid;
}
