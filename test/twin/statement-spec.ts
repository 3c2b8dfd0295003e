/** What is generated of a statement: numbers and words that delete-sql.ts and forms.ts make texts of. */
import fc from 'fast-check';
import { once, pick, place, value } from './arbitraries.js';

const WHERES = [
  'equals',
  'all',
  'in',
  'above',
  'pair',
  'code is null',
  'referenced',
  'unreferenced',
  'using',
  'using itself',
  'lateral',
  'subquery',
  'with',
  'recursive',
  'nothing',
] as const;
export type Where = (typeof WHERES)[number];

const LISTS = ['all', 'own', 'some', 'expressions', 'children', 'row', 'versions', 'renamed'] as const;
export type List = (typeof LISTS)[number];

const ERRORS = [
  'column',
  'returned column',
  'type',
  'syntax',
  'division',
  'division for some',
  'table',
  'aggregate',
] as const;
export type Mistake = (typeof ERRORS)[number];

export interface DeleteSpec {
  readonly relation: number;
  readonly where: Where;
  readonly value: number;
  readonly other: number;
  /** Which key or relation stands in the condition. */
  readonly help: number;
  readonly returning: List | 'none';
  readonly spelling: 'plain' | 'only' | 'star' | 'alias' | 'odd alias' | 'qualified' | 'comments';
  readonly mistake: Mistake | 'none';
}

export const FORMS = [
  'delete',
  'in a with',
  'two in a with',
  'with and main',
  'with that inserts',
  'into the log',
  'merge',
  'merge by source',
  'prepare',
  'explain',
  'copy',
  'truncate',
  'string',
  'cursor',
  'create table as',
] as const;
export type Form = (typeof FORMS)[number];

/** How a client sends it. */
export interface Sending {
  readonly manner: 'simple' | 'extended' | 'named' | 'pipeline' | 'portal';
  readonly binary: { readonly parameters: boolean; readonly results: 'text' | 'binary' | 'mixed' };
  /** Parameters have the types that Parse declares. */
  readonly declared: boolean;
  readonly transaction: 'none' | 'commit' | 'savepoint' | 'rollback';
  /** Several ways to do the same. */
  readonly variant: number;
}

export interface StatementSpec extends Sending {
  readonly form: Form;
  readonly deletes: readonly [DeleteSpec, DeleteSpec, DeleteSpec];
}

/**
 * @param where which conditions there are
 * @param returning whether most have no RETURNING: as many of them for each that has one
 */
function deletion(where: fc.Arbitrary<Where>, returning: number): fc.Arbitrary<DeleteSpec> {
  return fc.record({
    relation: place,
    where,
    value,
    other: value,
    help: place,
    returning: pick([returning, 'none'], ...LISTS.map((each) => [1, each] as const)),
    spelling: pick(
      [4, 'plain'],
      [1, 'only'],
      [1, 'star'],
      [2, 'alias'],
      [1, 'odd alias'],
      [1, 'qualified'],
      [1, 'comments'],
    ),
    mistake: pick<Mistake | 'none'>([120, 'none'], ...ERRORS.map((each) => [1, each] as const)),
  });
}

export const sending = {
  manner: pick<Sending['manner']>(
    [4, 'simple'],
    [2, 'extended'],
    [2, 'named'],
    [1, 'pipeline'],
    [1, 'portal'],
  ),
  binary: fc.record({
    parameters: fc.boolean(),
    results: pick<Sending['binary']['results']>([2, 'text'], [1, 'binary'], [1, 'mixed']),
  }),
  declared: once(2),
  transaction: pick<Sending['transaction']>([5, 'none'], [1, 'commit'], [1, 'savepoint'], [1, 'rollback']),
  variant: fc.nat(11),
};

const anywhere = deletion(
  pick([8, 'equals'], [3, 'all'], [4, 'in'], ...WHERES.slice(3).map((each) => [1, each] as const)),
  8,
);

export const statementSpec: fc.Arbitrary<StatementSpec> = fc.record({
  form: pick<Form>([14, 'delete'], ...FORMS.slice(1).map((each) => [1, each] as const)),
  deletes: fc.tuple(anywhere, anywhere, anywhere),
  ...sending,
});

const inBatches = deletion(
  pick(
    [6, 'equals'],
    [6, 'all'],
    [5, 'in'],
    [4, 'above'],
    ...WHERES.slice(4).map((each) => [1, each] as const),
  ),
  150,
);

/** What can be done in batches, nearly always: a DELETE by itself, without RETURNING. */
export const statementForBatches: fc.Arbitrary<StatementSpec> = fc.record({
  form: pick<Form>([150, 'delete'], ...FORMS.slice(1).map((each) => [1, each] as const)),
  deletes: fc.tuple(inBatches, inBatches, inBatches),
  ...sending,
  manner: pick<Sending['manner']>(
    [8, 'simple'],
    [4, 'extended'],
    [4, 'named'],
    [1, 'pipeline'],
    [2, 'portal'],
  ),
  transaction: pick<Sending['transaction']>([40, 'none'], [1, 'commit'], [1, 'savepoint'], [1, 'rollback']),
});
