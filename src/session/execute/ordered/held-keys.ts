/**
 * Holds the keys of the rows that a sequence has found, as the server has sent them: each column of a deletion is an array in the binary
 * format. Only the frame of the array is read; the elements are handed back to the server as they came.
 */
import { ProxyError } from '../../../errors.js';
import { Block } from '../../../wire/block.js';

/** One column of a deletion: elements of all arrays that were added, without their frames. */
interface Column {
  readonly type: number;
  /** The type of the elements; not known before there is one. */
  element: number;
  hasNulls: boolean;
  count: number;
  readonly elements: Block;
}

/**
 * The frame of an array (array_send in arrayfuncs.c): dimensions, whether there are nulls, the type of the elements; then of
 * each dimension its length and lower bound; then the elements. An empty array has no dimension.
 */
const DIMENSIONS = 12;
const FRAME = 20;

export class HeldKeys {
  readonly #columns = new Map<number, Column[]>();
  readonly #table: string;
  #bytes = 0;

  /** @param table what the client deletes from, for errors */
  constructor(table: string) {
    this.#table = table;
  }

  /** How much of them is held, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a deletion's columns are known, with rows or without. */
  has(deletion: number): boolean {
    return this.#columns.has(deletion);
  }

  /**
   * Adds the keys of further rows of a deletion; without rows, only the types of its columns.
   * @param types the object ids of the arrays' types
   * @param arrays one for each column that the deletion returns; copied here
   * @throws ProxyError PGC_ORDERED for columns that are arrays themselves
   */
  add(deletion: number, types: readonly number[], arrays: readonly Buffer[]): void {
    const columns = this.#columns.get(deletion) ?? types.map(columnOf);
    this.#columns.set(deletion, columns);
    arrays.forEach((array, i) => {
      const dimensions = array.readInt32BE(0);
      if (dimensions > 1)
        throw new ProxyError('PGC_ORDERED', { table: this.#table, what: 'keys that are arrays' });
      const column = columns[i];
      if (column === undefined || dimensions === 0) return;
      column.element = array.readUInt32BE(8);
      column.hasNulls ||= array.readInt32BE(4) !== 0;
      column.count += array.readInt32BE(DIMENSIONS);
      column.elements.append(Buffer.from(array.subarray(FRAME)));
      this.#bytes += array.length - FRAME;
    });
  }

  /** How many rows of a deletion are held. */
  countOf(deletion: number): number {
    return this.#columns.get(deletion)?.[0]?.count ?? 0;
  }

  /**
   * @param rows for each deletion how many of its rows there are to be: the first ones that were added
   * @returns the same keys without the rows after those
   */
  first(rows: (deletion: number) => number): HeldKeys {
    const keys = new HeldKeys(this.#table);
    for (const [deletion, columns] of this.#columns) {
      const kept = columns.map((column) => firstOf(column, rows(deletion)));
      keys.#columns.set(deletion, kept);
      keys.#bytes += kept.reduce((sum, { elements }) => sum + elements.size, 0);
    }
    return keys;
  }

  /** The columns of these deletions, in their order, with all rows that were added: their types, and the arrays, null for an empty one. */
  parametersOf(deletions: readonly number[]): {
    readonly types: readonly number[];
    readonly values: readonly (Buffer | null)[];
  } {
    const columns = deletions.flatMap((id) => this.#columns.get(id) ?? []);
    return { types: columns.map(({ type }) => type), values: columns.map(arrayOf) };
  }
}

function columnOf(type: number): Column {
  return { type, element: 0, hasNulls: false, count: 0, elements: new Block() };
}

/** Each element has its length before it, -1 for a null (array_send). */
function firstOf(column: Column, rows: number): Column {
  if (rows >= column.count) return column;
  const { bytes } = column.elements;
  let end = 0;
  for (let i = 0; i < rows; i++) end += 4 + Math.max(bytes.readInt32BE(end), 0);
  const elements = new Block();
  elements.append(Buffer.from(bytes.subarray(0, end)));
  return { ...column, count: rows, elements };
}

function arrayOf({ element, hasNulls, count, elements }: Column): Buffer | null {
  if (count === 0) return null;
  const frame = Buffer.alloc(FRAME);
  frame.writeInt32BE(1, 0);
  frame.writeInt32BE(hasNulls ? 1 : 0, 4);
  frame.writeUInt32BE(element, 8);
  frame.writeInt32BE(count, DIMENSIONS);
  frame.writeInt32BE(1, DIMENSIONS + 4);
  return Buffer.concat([frame, elements.bytes]);
}
