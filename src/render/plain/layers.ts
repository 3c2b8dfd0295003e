/**
 * The order in which rows are deleted where each statement is a transaction of its own. A row is in a layer below all rows that it references,
 * and the lowest layer is deleted first. To find that layer, a row that is found again in a later level moves to the layer of that level,
 * and the rows that reference it are found again too.
 *
 * Rows that reference each other in a circle would be found again for ever, and no order deletes them without leaving for a moment a row
 * that references a deleted one. Once there is a circle, each row stays in the layer of the level that found it first. The client's own
 * rows are then in the uppermost layer, so that after an interruption the same statement still finds whatever is left.
 */
import { createHash } from 'node:crypto';
import type { Relation } from '../../graph/model.js';

interface LayeredRow {
  readonly origin: 'client' | 'key';
  readonly first: number;
  last: number;
}

interface Names {
  readonly client: string[];
  readonly key: string[];
}
type LayerRows = ReadonlyMap<Relation, Readonly<Record<'client' | 'key', readonly string[]>>>;

export class Layers {
  readonly #rows = new Map<Relation, Map<string, LayeredRow>>();
  #layer = 0;
  #hasCircle = false;
  /** Whether the current layer has a row that no earlier layer had. */
  #hasNew = false;
  /** The rows that were found again in the current layer. */
  readonly #names: string[] = [];
  /** Hashes of the layers since the last new row. Rows of a circle are found again in a layer with the very same rows. */
  readonly #before = new Set<string>();

  /**
   * Adds a row to the current layer.
   * @param name tells the row from other rows of its table
   * @returns whether the rows that reference this one have to be found, for the first time or again
   */
  add(relation: Relation, name: string, origin: 'client' | 'key'): boolean {
    const rows = this.#rows.get(relation) ?? new Map<string, LayeredRow>();
    this.#rows.set(relation, rows);
    const row = rows.get(name);
    if (row === undefined) {
      rows.set(name, { origin, first: this.#layer, last: this.#layer });
      this.#hasNew = true;
      return true;
    }
    if (this.#hasCircle || row.last === this.#layer) return false;
    row.last = this.#layer;
    this.#names.push(`${relation.schema}.${relation.name} ${name}`);
    return true;
  }

  /** Ends a layer. @returns `in a circle` where its rows are those of an earlier layer: nothing new can be found below it */
  end(): 'in order' | 'in a circle' {
    this.#layer++;
    const names = this.#names.splice(0);
    if (this.#hasNew) this.#before.clear();
    const isSame = !this.#hasNew && names.length > 0 && this.#isKnown(names);
    this.#hasNew = false;
    this.#hasCircle ||= isSame;
    return isSame ? 'in a circle' : 'in order';
  }

  /** The names of the rows of each table, layer by layer from the lowest up. */
  fromBelow(): readonly LayerRows[] {
    const layers = Array.from({ length: this.#layer + 1 }, () => new Map<Relation, Names>());
    for (const [relation, rows] of this.#rows)
      for (const [name, { first, last, origin }] of rows) {
        const layer = layers[this.#hasCircle ? first : last];
        const names = layer?.get(relation) ?? { client: [], key: [] };
        names[origin].push(name);
        layer?.set(relation, names);
      }
    return layers.reverse();
  }

  #isKnown(names: readonly string[]): boolean {
    const hash = createHash('sha256').update(names.toSorted().join('\n')).digest('base64');
    if (this.#before.has(hash)) return true;
    this.#before.add(hash);
    return false;
  }
}
