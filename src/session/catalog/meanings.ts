/**
 * What names of relations mean to one session, as far as the server was asked.
 *
 * An expanded statement looks up again each name that means a relation of the graph, and fails where the name has come to mean another one.
 * A DELETE that is passed on is not checked in this way. So where a name means no relation of the graph, but the graph has one of that
 * name, which is hidden, the server's answer holds only until the client sends or executes anything: by then the temporary table
 * that hides it may have been dropped, or a function may have set the search_path (decisions 6 and 54 in docs/decisions.md).
 */
import type { Graph } from '../../graph/graph.js';
import { quoteRelation, type RelationName } from '../../sql/names.js';

/** A session that knows more names than this forgets all of them, and asks again. */
const MOST_NAMES = 1000;

/** A name that every text has as one word: the server does not cut it, and it has no character that needs quotes. */
const PLAIN = /^[a-z_][a-z0-9_]{0,61}$/i;

interface NameMeaning {
  /** Without its schema. */
  readonly name: string;
  readonly oid: number | null;
  /** A temporary table of that name was made since. */
  readonly mayBeHidden?: boolean;
  /** How much the client had sent and executed when the server was asked. */
  readonly asked: number;
}

export class Meanings {
  /** Undefined where nothing is known. */
  #known: Map<string, NameMeaning> | undefined;
  #steps = 0;

  /** The object id of what a name means; null where it means nothing, or was not asked for. */
  of(name: RelationName): number | null {
    return this.#known?.get(quoteRelation(name))?.oid ?? null;
  }

  /** The names whose meaning the server has to be asked for, before a statement is planned with this graph. */
  unknown(names: readonly RelationName[], graph: Graph | undefined): readonly RelationName[] {
    return names.filter((name) => !this.#holds(name, graph));
  }

  /** Whether one of these names hides a relation of the graph: after any statement the name may mean that relation again. */
  hideAny(names: readonly RelationName[], graph: Graph): boolean {
    return names.some((name) => hides(name, this.of(name), graph));
  }

  /** The server was asked, and has answered. */
  learn(names: readonly RelationName[], oids: readonly (number | null)[]): void {
    if (names.length === 0) return;
    this.#known ??= new Map();
    for (const [i, name] of names.entries())
      this.#known.set(quoteRelation(name), { name: name.name, oid: oids[i] ?? null, asked: this.#steps });
  }

  /** Makes room, before names are asked for. */
  bound(): void {
    if (this.#known && this.#known.size > MOST_NAMES) this.forget();
  }

  /** Bytes came from the client, or something of the client's is being executed. */
  touch(): void {
    this.#steps++;
  }

  forget(): void {
    this.#known = undefined;
  }

  /** Forgets all but these. */
  retain(names: readonly RelationName[]): void {
    const known = this.#known;
    if (!known) return;
    const retained = new Set(names.map(quoteRelation));
    for (const key of known.keys()) if (!retained.has(key)) known.delete(key);
  }

  /**
   * A temporary table without keys is made: it may hide a relation of the graph.
   * @param words its name is among them, if it is a plain one; undefined where it may be any
   */
  hide(words: ReadonlySet<string> | undefined): void {
    const known = this.#known;
    for (const [key, meaning] of known ?? []) {
      const { name } = meaning;
      if (words === undefined || !PLAIN.test(name) || words.has(name.toLowerCase()))
        known?.set(key, { ...meaning, mayBeHidden: true });
    }
  }

  #holds(name: RelationName, graph: Graph | undefined): boolean {
    const known = this.#known?.get(quoteRelation(name));
    if (known === undefined || graph === undefined) return false;
    if (known.asked === this.#steps) return true;
    const isHidden = known.mayBeHidden && known.oid !== null && graph.relation(known.oid) !== undefined;
    return known.oid !== null && !isHidden && !hides(name, known.oid, graph);
  }
}

/** Whether a name means no relation of the graph, while the graph has, or may have, one of that name. */
function hides(name: RelationName, oid: number | null, graph: Graph): boolean {
  return (oid === null || graph.relation(oid) === undefined) && graph.names.mayInclude(name);
}
