/** A guarded statement, around which the proxy puts a look at keys, and the columns that it returns for that. */
import type { ForeignKey } from '../../graph/model.js';
import type { GuardedKey, GuardLevel, RowsOf } from '../../plan/guard.js';
import { acts, setBy } from '../../plan/leaving.js';
import type { UpdatePlan } from '../../plan/on-update.js';
import type { Target } from '../../plan/written.js';
import { quoteName } from '../../sql/names.js';
import type { InTurn, WriteSite } from '../../sql/statement/statement.js';
import { ownName } from '../own-names.js';
import { equals } from '../single/actions/match.js';
import { columnName, cteName } from '../single/actions/rows.js';

const [OLD, NEW] = [ownName('o'), ownName('n')];

/** What is put around a statement, and why. */
export interface Guarded {
  readonly site: InTurn<WriteSite>;
  readonly target: Target;
  readonly keys: readonly GuardedKey[];
  /** What is done for rows that leave keys. */
  readonly changes: UpdatePlan;
  readonly level: Exclude<GuardLevel, 'off'>;
  /** The rows that ON UPDATE changes are counted. */
  readonly counts: boolean;
  /** Whether the server can return a row as it was (OLD in a RETURNING). */
  readonly tellsOld: boolean;
  /** Keys of other parts of the statement that may reference rows of this one, and which rows. */
  readonly referencedHere?: ReadonlyMap<ForeignKey, RowsOf>;
}

/** One part of a statement, and what its CTE returns. */
export interface WrittenPart {
  readonly guarded: Guarded;
  readonly columns: Returned;
}

/** The columns that the client's statement returns to the proxy, in the order in which they are asked for. */
export class Returned {
  readonly #expressions: string[] = [];
  /** `pgc_0`: its CTE. */
  readonly rows: string;
  readonly #guarded: Guarded;
  readonly #usesImages: boolean;
  /** Whether the table of each row is returned: where the rows may be in several. */
  readonly tells: boolean;

  /** @param place that of its CTE among those of the statement */
  constructor(guarded: Guarded, place: number) {
    const { site, tellsOld } = guarded;
    this.rows = cteName(place);
    this.#guarded = guarded;
    this.#usesImages = tellsOld && (site.write.updates || site.write.deletes);
    this.tells = tellsTables(guarded);
  }

  get expressions(): readonly string[] {
    return this.#expressions;
  }

  /** `WITH (OLD AS pgc_o, NEW AS pgc_n) `, where the rows as they were have no name. */
  get options(): string {
    const declares = this.#usesImages && this.#guarded.site.images === undefined;
    return declares ? `WITH (OLD AS ${OLD}, NEW AS ${NEW}) ` : '';
  }

  /** `pgc_c0`: a column of the relation as it is now. */
  readonly name = (column: string): string => {
    const { images, alias } = this.#guarded.site;
    const row = this.#usesImages ? (images?.new ?? NEW) : alias;
    return this.#return(`${row}.${this.#called(column)}`);
  };

  /** `n.pgc_c0` */
  of(column: string): string {
    return `n.${this.name(column)}`;
  }

  /** `n.pgc_c0`: a column of the relation as it was. */
  old(column: string): string {
    return `n.${this.was(column)}`;
  }

  /** `pgc_c0` */
  readonly was = (column: string): string => {
    const { images } = this.#guarded.site;
    return this.#return(`${images?.old ?? OLD}.${this.#called(column)}`);
  };

  /**
   * `n.pgc_c1`, where the row may have had the key before: PostgreSQL checks no key that stays (RI_FKey_fk_upd_check_required), unless
   * the row comes to another partition. Compared as bytes, as every type can be:
   *
   *     ROW(pgc_o.author)::record *<> ROW(pgc_n.author)::record
   */
  changed({ columns }: ForeignKey): readonly string[] {
    if (!this.#usesImages) return [];
    const compared = [...(this.tells ? ['tableoid'] : []), ...columns.map(({ referencing }) => referencing)];
    return [`n.${this.#return(this.#differs(compared))}`];
  }

  /**
   * `n.pgc_c1`: the row had a key that could be referenced, and has it no more, as RI_FKey_pk_upd_check_required says. A row
   * that is inserted had none:
   *
   *     pgc_o.id IS NOT NULL AND ROW(pgc_o.id)::record *<> ROW(pgc_n.id)::record
   */
  leaves(key: ForeignKey): string {
    return `n.${this.leftBy(key)}`;
  }

  /** `pgc_c1` */
  leftBy({ columns }: ForeignKey): string {
    const { images } = this.#guarded.site;
    return this.#return(leavesKey(columns, images?.old ?? OLD, images?.new ?? NEW, this.#called));
  }

  #differs(compared: readonly string[]): string {
    const { images } = this.#guarded.site;
    return differs(compared.map(this.#called), images?.old ?? OLD, images?.new ?? NEW);
  }

  /** What the statement calls a column of the table. */
  readonly #called = (column: string): string =>
    quoteName(this.#guarded.target.columns?.get(column) ?? column);

  #return(expression: string): string {
    const at = this.#expressions.indexOf(expression);
    return columnName(at < 0 ? this.#expressions.push(expression) - 1 : at);
  }
}

/**
 * `NOT (n.pgc_c1 AND n.pgc_c2 = n.pgc_c0)`: ON UPDATE does not change the key, as it does where the row itself leaves what it references.
 * Natively ON UPDATE is done first, and the new key is looked at (RI_FKey_check in ri_triggers.c ignores a version of a row that is
 * outdated). So here a follow-up looks at it.
 */
export function keepsKey(
  key: ForeignKey,
  { changes, keys }: Pick<Guarded, 'changes' | 'keys'>,
  columns: Returned,
): readonly string[] {
  const [own] = changes.leaving;
  const written = [
    ...keys.filter(({ within }) => within === 'all').map((each) => each.key),
    ...(own?.written ?? []),
  ];
  return (own?.keys ?? [])
    .filter((self) => acts(self) && written.includes(self) && sharesColumn(self, key))
    .map((self) => `NOT (${columns.leaves(self)} AND ${equals(self, 'n', columns.was, 'n', columns.name)})`);
}

function sharesColumn(one: ForeignKey, other: ForeignKey): boolean {
  return setBy(one).some((column) => setBy(other).includes(column));
}

/**
 * `NOT EXISTS (SELECT FROM pgc_0 AS s WHERE s.pgc_c1 AND s.pgc_c2 = n.pgc_c0)`: no part before has left what the key references. Else
 * its ON UPDATE changes the row: natively before the key is looked at, and here in a follow-up.
 * @param columns of the row's own part
 */
export function keptBeside(
  key: ForeignKey,
  columns: Returned,
  before: readonly WrittenPart[],
): readonly string[] {
  const leaving = before.filter(({ guarded }) => {
    const [own] = guarded.changes.leaving;
    return acts(key) && own?.keys.includes(key);
  });
  return leaving.map((part) => {
    const same = equals(key, 's', part.columns.was, 'n', columns.name);
    return `NOT EXISTS (SELECT FROM ${part.columns.rows} AS s WHERE s.${part.columns.leftBy(key)} AND ${same})`;
  });
}

/** Whether the table of each row has to be known: where the rows may be in several. */
export function tellsTables({ keys, referencedHere, target }: Guarded): boolean {
  const others = [...(referencedHere?.values() ?? [])];
  return (
    target.relation.kind === 'p' ||
    [...keys.map(({ within }) => within), ...others].some((each) => each !== 'all')
  );
}

/**
 * `pgc_o.id IS NOT NULL AND ROW(pgc_o.id)::record *<> ROW(pgc_n.id)::record`: a row has left what a key references.
 * @param called what the statement calls a column of the table
 */
export function leavesKey(
  columns: ForeignKey['columns'],
  old: string,
  now: string,
  called: (column: string) => string = quoteName,
): string {
  const compared = columns.map(({ referenced }) => called(referenced));
  const had = compared.map((column) => `${old}.${column} IS NOT NULL`);
  return [...had, differs(compared, old, now)].join(' AND ');
}

/** @param columns quoted */
function differs(columns: readonly string[], old: string, now: string): string {
  const row = (image: string) =>
    `ROW(${columns.map((column) => `${image}.${column}`).join(', ')})::pg_catalog.record`;
  return `${row(old)} OPERATOR(pg_catalog.*<>) ${row(now)}`;
}
