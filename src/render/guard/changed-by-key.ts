/** What an UPDATE that carries out ON UPDATE of a key returns of the rows that it changes. */
import type { ForeignKey } from '../../graph/model.js';
import { quoteName } from '../../sql/names.js';
import { ownName } from '../own-names.js';
import { columnName } from '../single/actions/rows.js';
import { leavesKey } from './guarded.js';
import type { ChangedRows } from './left-keys.js';

const [OLD, NEW] = [ownName('o'), ownName('n')];

export class ChangedByKey implements ChangedRows {
  readonly expressions: string[] = [];

  /** `RETURNING WITH (OLD AS pgc_o, NEW AS pgc_n) pgc_o.author` */
  get returning(): string {
    return `RETURNING WITH (OLD AS ${OLD}, NEW AS ${NEW}) ${this.expressions.join(', ')}`;
  }

  leaves({ columns }: ForeignKey): string {
    return this.#return(leavesKey(columns, OLD, NEW));
  }

  old(column: string): string {
    return this.#return(`${OLD}.${quoteName(column)}`);
  }

  of(column: string): string {
    return this.#return(`${NEW}.${quoteName(column)}`);
  }

  /** Each row has got another key. */
  changed(): readonly string[] {
    return [];
  }

  #return(expression: string): string {
    const at = this.expressions.indexOf(expression);
    return `n.${columnName(at < 0 ? this.expressions.push(expression) - 1 : at)}`;
  }
}
