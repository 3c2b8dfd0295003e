/** A COPY FROM STDIN with its data, as one message after the other. */
import { serialize } from 'pg-protocol';
import { nameIn } from '../delete-sql.js';
import type { Step } from '../protocol.js';
import { isView, type Schema } from '../schema.js';
import { parameterText } from '../values.js';
import { type Cell, columnsOf, rowCells } from './new-rows.js';
import type { WriteSpec } from './write-spec.js';
import { namesOf, writtenRelation } from './written.js';

/**
 * In text or CSV, some with a mark for defaults or with a condition; once in a while after or before something else in its string,
 * twice, or given up by the client. Into a table also where the spec names a view: those take no COPY.
 */
export function copyStep(schema: Schema, spec: WriteSpec): Step {
  const { rows, variant } = spec;
  const named = writtenRelation(schema, spec);
  const relation = isView(named) ? named.table.root : named;
  const { table } = relation;
  const form = FORMS[variant % FORMS.length] ?? FORMS[0];
  const into = `COPY ${nameIn(schema, relation)} (${namesOf(columnsOf(table))}) FROM STDIN${form.options}`;
  const lines = rows.map((_, i) => rowCells(schema, table, rows, i).map(form.spell).join(form.between));
  const data = [...form.head(columnsOf(table).length), ...lines].map((line) => `${line}\n`).join('');
  // The server takes the data as a stream.
  const half = Math.floor(data.length / 2);
  const chunks = variant % 3 === 0 ? [data.slice(0, half), data.slice(half)] : [data];
  const sent = chunks.map((each) => serialize.copyData(Buffer.from(each)));
  const { text, copies } = {
    9: { text: `${into}; ${into}`, copies: 2 },
    10: { text: `SELECT 1; ${into}; SELECT 2`, copies: 1 },
  }[variant] ?? { text: into, copies: 1 };
  const end = variant === 11 ? serialize.copyFail('enough') : serialize.copyDone();
  return {
    bytes: Buffer.concat([
      serialize.query(text),
      ...Array.from({ length: copies }, () => [...sent, end]).flat(),
    ]),
    readies: 1,
    shown: `${text}   -- ${variant === 11 ? 'given up after' : 'of'} ${JSON.stringify(data)}`,
    opaque: false,
  };
}

/** The variants below it are a COPY by itself. */
export const SINGLE_COPIES = 9;

interface Form {
  readonly options: string;
  readonly between: string;
  readonly head: (columns: number) => readonly string[];
  readonly spell: (cell: Cell) => string;
}

const spelled = (empty: string, fallback: string) => (cell: Cell) =>
  cell === 'NULL' ? empty : cell === 'DEFAULT' ? fallback : parameterText(cell.type, cell.value);

const FORMS: readonly [Form, ...Form[]] = [
  { options: '', between: '\t', head: () => [], spell: spelled('\\N', '\\N') },
  {
    options: ' (FORMAT csv, HEADER)',
    between: ',',
    head: (columns) => [Array.from({ length: columns }, (_, i) => `c${i}`).join(',')],
    spell: spelled('', ''),
  },
  { options: ` (DEFAULT '\\D')`, between: '\t', head: () => [], spell: spelled('\\N', '\\D') },
  { options: ' (FORMAT csv) WHERE a < 3', between: ',', head: () => [], spell: spelled('', '') },
];
