/** Statements as drivers send them. */
import { serialize } from 'pg-protocol';
import type { Sending } from './statement-spec.js';
import { parameterBinary, parameterText, typeOid, type ValueType } from './values.js';

export interface Parameter {
  readonly type: ValueType;
  readonly value: number;
}

/** A text with `$1` and so on; none where all is in the text. */
export interface Sql {
  readonly text: string;
  readonly parameters: readonly Parameter[];
  /** Whether it gives rows. */
  readonly rows: boolean;
}

/** What is sent at once, up to a Sync or a query. */
export interface Step {
  readonly bytes: Buffer;
  readonly readies: number;
  /** In words, for people. */
  readonly shown: string;
  /** What is answered differs by nature: only errors and tags are compared. */
  readonly opaque: boolean;
}

export function simple(text: string, opaque = false): Step {
  return { bytes: serialize.query(text), readies: 1, shown: text, opaque };
}

type Options = Pick<Sending, 'manner' | 'binary' | 'declared' | 'variant'>;

const sync = serialize.sync();

/** The statements in the manner asked for; several under one Sync where that is a pipeline. */
export function inManner(statements: readonly Sql[], options: Options): readonly Step[] {
  const { manner, variant } = options;
  const shown = (how: string) => `${statements.map(showSql).join(' ; ')}   -- ${how}`;
  const step = (how: string, ...bytes: readonly Uint8Array[]): Step => ({
    bytes: Buffer.concat([...bytes, sync]),
    readies: 1,
    shown: shown(how),
    opaque: false,
  });
  switch (manner) {
    case 'simple':
      return statements.map(({ text }) => simple(text));
    case 'extended':
      return statements.map((sql) => ({
        ...step(describe(options)),
        bytes: Buffer.concat([
          parse(sql, '', options),
          ...(variant % 2 ? [serialize.describe({ type: 'S', name: '' })] : []),
          bind(sql, '', '', options),
          serialize.describe({ type: 'P', name: '' }),
          serialize.execute({}),
          sync,
        ]),
      }));
    case 'named':
      return statements.flatMap((sql) => {
        const run = [
          bind(sql, 'n', '', options),
          serialize.describe({ type: 'P', name: '' }),
          serialize.execute({}),
        ];
        return [
          step('prepared as n', parse(sql, 'n', options), serialize.describe({ type: 'S', name: 'n' })),
          step(
            `n executed${variant % 3 ? '' : ' twice'}, ${describe(options)}`,
            ...run,
            ...(variant % 3 ? [] : run),
          ),
          ...(variant % 4 ? [] : [step('n executed again', ...run)]),
          step('n closed', serialize.close({ type: 'S', name: 'n' })),
        ];
      });
    case 'pipeline': {
      const all = [
        ...statements,
        { text: 'SELECT 1', parameters: [], rows: true },
        ...statements.slice(0, variant % 2),
      ];
      const runs = all.flatMap((sql) => [
        parse(sql, '', options),
        bind(sql, '', '', options),
        ...(variant % 3 ? [serialize.describe({ type: 'P', name: '' })] : []),
        serialize.execute({}),
        ...(variant % 5 ? [] : [serialize.flush()]),
      ]);
      return [
        step(
          `and SELECT 1${variant % 2 ? ', and again,' : ''} under one Sync, ${describe(options)}`,
          ...runs,
        ),
      ];
    }
    case 'portal':
      return statements.flatMap((sql) => {
        const limits = (sql.rows ? [[1, 2, 0], [2, 0], [1], [1, 1, 1]][variant % 4] : [variant % 3]) ?? [];
        return [
          step(
            `fetched by ${limits.join(', ')}, ${describe(options)}`,
            parse(sql, '', options),
            bind(sql, '', 'p', options),
            serialize.describe({ type: 'P', name: 'p' }),
            ...limits.map((rows) => serialize.execute({ portal: 'p', rows })),
          ),
        ];
      });
  }
}

function showSql({ text, parameters }: Sql): string {
  const values = parameters.map(({ type, value }, i) => `$${i + 1} = ${parameterText(type, value)}`);
  return values.length === 0 ? text : `${text} /* ${values.join(', ')} */`;
}

function describe({ binary, declared }: Options): string {
  return `parameters ${binary.parameters ? 'binary' : 'text'}${declared ? ', declared' : ''}, results ${binary.results}`;
}

function parse({ text, parameters }: Sql, name: string, { declared, binary }: Options): Buffer {
  // What is sent in binary has to be of the type that the server infers, which for a literal's place is the column's.
  const types = declared || binary.parameters ? parameters.map(({ type }) => typeOid(type)) : [];
  return serialize.parse({ text, name, types });
}

function bind({ parameters }: Sql, statement: string, portal: string, { binary }: Options): Buffer {
  const values = parameters.map(({ type, value }) =>
    binary.parameters ? parameterBinary(type, value) : Buffer.from(parameterText(type, value)),
  );
  const parts = [
    Buffer.from(`${portal}\0${statement}\0`),
    int16(1),
    int16(binary.parameters ? 1 : 0),
    int16(values.length),
    ...values.flatMap((value) => [int32(value.length), value]),
    // A format for all results; a mixture needs one each, and only the client of a known list can say it.
    int16(1),
    int16(binary.results === 'text' ? 0 : 1),
  ];
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from('B'), int32(body.length + 4), body]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
