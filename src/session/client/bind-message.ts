/** The client's Bind: whether it is kept, and with which result formats it is sent. */
import type { ResultShape } from '../../render/single/render.js';
import { batchesAtLimit, firstLocksOf, isCarriedOut, mayRepeat } from '../../rewrite/retries.js';
import { shapeOf } from '../../rewrite/statement/treatment.js';
import { whole, withResultFormats } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { type PreparedStatement, treatmentOf } from '../decide/prepared-statement.js';

/** In bytes. A longer Bind is not kept: its portal is executed once, or not at all where several statements would need the values. */
const LONGEST_BIND = 1024 * 1024;

export function isShort(bind: Message): boolean {
  return bind.end - bind.start <= LONGEST_BIND;
}

/** @returns a copy of the Bind, where its values are needed again: for another attempt, for locks, or for the statements of a sequence */
export function repeatableBind(bind: Message, { rewrite }: PreparedStatement): Buffer | undefined {
  const { treatments } = rewrite ?? { treatments: [] };
  const isUsed =
    mayRepeat(treatments) ||
    firstLocksOf(treatments).length > 0 ||
    isCarriedOut(treatments) ||
    batchesAtLimit(treatments) !== undefined;
  return isUsed && isShort(bind) ? whole(bind) : undefined;
}

/** @returns the Bind with a result format for each column of what is sent in the statement's place; undefined where it is sent as it is */
export function withOwnFormats(bind: Message, prepared: PreparedStatement | undefined): Buffer | undefined {
  const shape = shapeOf(treatmentOf(prepared));
  return shape && withResultFormats(bind, (formats) => formatsFor(shape, formats));
}

/** The formats of all columns: those that the proxy has added, in text, stand before the client's. */
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
