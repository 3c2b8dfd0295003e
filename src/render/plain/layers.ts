/**
 * In which order rows go where each statement stays by itself: a row is in a layer below all that it references, however it is reached, and the
 * lowest layer goes first. So a row that a level has brought is told again when a later one brings it again, and is in the last of them.
 * Rows that reference each other in a circle would come for ever. There is no order for these in which no row is ever left that
 * references one that is gone. Then each row is in the first layer that has brought it, and one that is still there is found from
 * the client's own rows as before: these are in the uppermost.
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
  /** Whether the layer has a row that was not known. */
  #hasNew = false;
  readonly #names: string[] = [];
  /** The layers since the last new row, without any: rows of a circle come again in the same company. */
  readonly #before = new Set<string>();

  /**
   * @param name tells it from other rows of its table
   * @returns whether the rows that reference it have to be found, again or for the first time
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

  /** Ends a layer. */
  end(): 'in order' | 'in a circle' {
    this.#layer++;
    const names = this.#names.splice(0);
    if (this.#hasNew) this.#before.clear();
    const isSame = !this.#hasNew && names.length > 0 && this.#isKnown(names);
    this.#hasNew = false;
    this.#hasCircle ||= isSame;
    return isSame ? 'in a circle' : 'in order';
  }

  /** @returns the names of the rows of each table, layer by layer from the lowest up */
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
    const company = createHash('sha256').update(names.toSorted().join('\n')).digest('base64');
    if (this.#before.has(company)) return true;
    this.#before.add(company);
    return false;
  }
}
