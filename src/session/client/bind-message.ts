/** The client's Bind: how long it is kept, and the result formats that take its place. */
import type { ResultShape } from '../../render/single/render.js';
import { batchesAtLimit, firstLocksOf, isCarriedOut, mayRepeat } from '../../rewrite/retries.js';
import { shapeOf } from '../../rewrite/statement/treatment.js';
import { whole, withResultFormats } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { type PreparedStatement, treatmentOf } from '../decide/prepared-statement.js';

/** A longer Bind is not kept: its statement is executed once. */
const LONGEST_BIND = 1024 * 1024;

export function isShort(bind: Message): boolean {
  return bind.end - bind.start <= LONGEST_BIND;
}

/** @returns a copy of the Bind, where its portal's execution may have to be repeated, or the same values lock rows before it */
export function repeatableBind(bind: Message, { rewrite }: PreparedStatement): Buffer | undefined {
  const { treatments } = rewrite ?? { treatments: [] };
  const isUsed =
    mayRepeat(treatments) ||
    firstLocksOf(treatments).length > 0 ||
    isCarriedOut(treatments) ||
    batchesAtLimit(treatments) !== undefined;
  return isUsed && isShort(bind) ? whole(bind) : undefined;
}

/** @returns the Bind with result formats for the columns that are sent; undefined where it is to be sent as it is */
export function withOwnFormats(bind: Message, prepared: PreparedStatement | undefined): Buffer | undefined {
  const shape = shapeOf(treatmentOf(prepared));
  return shape && withResultFormats(bind, (formats) => formatsFor(shape, formats));
}

/** The formats of all columns that are sent: the proxy's own, which nobody reads, before the client's. */
function formatsFor(shape: ResultShape, formats: readonly number[]): readonly number[] {
  switch (shape.kind) {
    case 'as sent':
      return formats;
    case 'count':
      return [];
    case 'rows':
      return formats.length < 2 ? formats : [...Array<number>(shape.added).fill(0), ...formats];
  }
}
