/** The keys of an H2, as its information_schema has them: what h2.sql asks for, joined here. H2 itself takes seconds for 300 keys. */
import type { Action } from '../catalog/key-settings.js';
import type { Told, ToldKey, ToldTable } from './told.js';

/** The rows of each view that are asked for. */
export interface H2Answer {
  readonly keys: readonly (readonly [
    schema: string,
    name: string,
    uniqueSchema: string,
    uniqueName: string,
    deleteRule: string,
    updateRule: string,
  ])[];
  readonly constraints: readonly (readonly [
    schema: string,
    name: string,
    type: string,
    enforced: string,
    tableSchema: string,
    table: string,
  ])[];
  readonly columns: readonly (readonly [
    schema: string,
    name: string,
    column: string,
    position: number,
    /** In the unique constraint that a foreign key references; 0 in others. */
    uniquePosition: number,
  ])[];
  readonly synonyms: readonly (readonly [
    schema: string,
    name: string,
    forSchema: string,
    forTable: string,
  ])[];
}

interface Column {
  readonly name: string;
  readonly position: number;
  readonly uniquePosition: number;
}

/**
 * `enforced` is NO where REFERENTIAL_INTEGRITY is off: in the whole database, or in one of the two tables.
 * @throws Error for a key whose columns are not all there
 */
export function keysOfH2({ columns, constraints, keys, synonyms }: H2Answer): Told {
  const columnsOf = new Map<string, Column[]>();
  for (const [schema, name, column, position, uniquePosition] of columns) {
    const some = columnsOf.get(idOf(schema, name)) ?? [];
    some.push({ name: column, position, uniquePosition });
    columnsOf.set(idOf(schema, name), some);
  }
  for (const some of columnsOf.values()) some.sort((a, b) => a.position - b.position);
  const known = new Map(constraints.map((each) => [idOf(each[0], each[1]), each]));
  const told = keys.flatMap(([schema, name, uniqueSchema, uniqueName, deleteRule, updateRule]): ToldKey[] => {
    const [own, unique] = [known.get(idOf(schema, name)), known.get(idOf(uniqueSchema, uniqueName))];
    const ownColumns = columnsOf.get(idOf(schema, name)) ?? [];
    const uniqueColumns = columnsOf.get(idOf(uniqueSchema, uniqueName)) ?? [];
    // It was dropped while the views were read.
    if (own === undefined || unique === undefined) return [];
    const referenced = ownColumns.flatMap(
      ({ uniquePosition }) => uniqueColumns[uniquePosition - 1]?.name ?? [],
    );
    if (referenced.length !== ownColumns.length) throw new Error(`it has ${name} without what it references`);
    return [
      {
        name,
        from: { schema: own[4], table: own[5], columns: ownColumns.map((each) => each.name) },
        to: { schema: unique[4], table: unique[5], columns: referenced },
        action: actionOf(deleteRule),
        updateAction: actionOf(updateRule),
        enforced: own[3] !== 'NO',
      },
    ];
  });
  const uniqueOf = (wanted: string) =>
    constraints
      .filter(([, , type]) => type === wanted)
      .map(([schema, name, , , tableSchema, table]): ToldTable => {
        const names = (columnsOf.get(idOf(schema, name)) ?? []).map((each) => each.name);
        return { schema: tableSchema, table, columns: names };
      });
  return {
    keys: told,
    unique: [...uniqueOf('PRIMARY KEY'), ...uniqueOf('UNIQUE')],
    synonyms: synonyms.map(([schema, name, forSchema, table]) => ({
      schema,
      name,
      of: { schema: forSchema, table },
    })),
  };
}

/** `SET NULL`; what is not known is refused, as RESTRICT is. */
function actionOf(rule: string): Action {
  const action = rule.toLowerCase();
  return ACTIONS.find((each) => each === action) ?? 'restrict';
}

const ACTIONS: readonly Action[] = ['cascade', 'set null', 'set default', 'restrict', 'no action'];

function idOf(schema: string, name: string): string {
  return JSON.stringify([schema, name]);
}
