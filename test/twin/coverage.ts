/** What a run of the fuzzer has shown: the forms that were carried out, and the keys whose rows were changed. */

import type { Statement } from './case.js';
import { relationOf } from './delete-sql.js';
import type { Run } from './run.js';
import { isView, type Key, type Schema, setsColumns } from './schema.js';
import { writtenRelations } from './writes/write-forms.js';
import { isWrite, type WriteSpec } from './writes/write-spec.js';

/** What no run may be without. */
export const PATTERNS_SHOWN = [
  'RETURNING with WITH',
  'merge',
  'view',
  'trigger that deletes',
  'deferred key',
  'MATCH FULL of two, SET',
  'shared column',
  '(a) and (a, b) SET NULL to one table',
  'SET NULL of a referenced column',
  'SET DEFAULT, then CASCADE',
] as const;

/**
 * @param touched the places of the tables of which rows were changed
 * @param native what the side with enforced keys answered
 */
export function shownBy(
  schema: Schema,
  spec: Statement,
  touched: ReadonlySet<number>,
  native: Run,
): readonly string[] {
  if (isWrite(spec)) {
    const views = viewsOf(schema, spec);
    return [...(touched.size > 0 ? [spec.form, ...views] : []), ...brokenBy(native, spec, views)];
  }
  const acted = schema.keys.filter(
    ({ from, to }) => touched.has(from.table.place) && touched.has(to.table.place),
  );
  const pairs = acted.flatMap((one, i) => acted.slice(i + 1).map((other) => [one, other] as const));
  const [target] = spec.deletes;
  const returns = target.returning !== 'none';
  const traits: readonly (readonly [string, boolean])[] = [
    [spec.form, spec.form !== 'delete'],
    ['RETURNING', returns],
    ['RETURNING with WITH', returns && (target.where === 'with' || spec.form.includes('with'))],
    ['view', isView(relationOf(schema, target.relation))],
    [
      'trigger that deletes',
      schema.tables.some(({ trigger, place }) => trigger === 'deletes' && touched.has(place)),
    ],
    ['deferred key', acted.some(({ timing }) => timing === 'DEFERRABLE INITIALLY DEFERRED')],
    [
      'MATCH FULL of two, SET',
      acted.some(({ full, target, action }) => full && target === 'pair' && setsColumns(action)),
    ],
    ['shared column', pairs.some(([one, other]) => shares(one, other))],
    ['(a) and (a, b) SET NULL to one table', pairs.some(([one, other]) => areNested(one, other))],
    [
      'SET NULL of a referenced column',
      pairs.some((pair) => isReferenced(pair) || isReferenced([pair[1], pair[0]])),
    ],
    [
      'SET DEFAULT, then CASCADE',
      pairs.some(
        ([one, other]) =>
          one.action === 'SET DEFAULT' && other.action === 'CASCADE' && one.from === other.from,
      ),
    ],
  ];
  return traits.flatMap(([name, shown]) => (touched.size > 0 && shown ? [name] : []));
}

function brokenBy({ answers }: Run, { form }: WriteSpec, views: readonly string[]): readonly string[] {
  const fails = (code: string) => answers.flat().some((answer) => answer.startsWith(`E C=${code}`));
  return [
    ...(fails('23503') ? [form, ...views].map((what) => `${what}: 23503`) : []),
    ...(fails('44000') ? ['CHECK OPTION'] : []),
  ];
}

/** Through which kinds of views it writes. */
function viewsOf(schema: Schema, spec: WriteSpec): readonly string[] {
  const written = writtenRelations(schema, spec);
  return schema.tables.flatMap(({ view }) =>
    view && written.includes(view.relation) ? [`view: ${view.kind}`] : [],
  );
}

function shares(one: Key, other: Key): boolean {
  return one.from.table === other.from.table && one.columns.some((name) => other.columns.includes(name));
}

function areNested(one: Key, other: Key): boolean {
  const nulls = [one, other].every(({ action }) => action === 'SET NULL');
  return nulls && one.to === other.to && one.columns.length !== other.columns.length && shares(one, other);
}

/** The first sets a column by which rows reference its table, and the second does that ON UPDATE CASCADE. */
function isReferenced([key, other]: readonly [Key, Key]): boolean {
  const code = key.action === 'SET NULL' && key.columns.includes('code');
  return code && other.to.table === key.from.table && other.target === 'code' && other.onUpdate === 'CASCADE';
}
