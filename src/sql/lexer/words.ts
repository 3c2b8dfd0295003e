/** Looks words up without taking them out of their text. */

/** Letters of a word's first byte that are told apart: the lower five bits, which its case is none of. */
const FIRST_LETTERS = 32;
/** Longer words are none of a table. */
const LONGEST = 32;

interface Entry<T> {
  /** In lower case. */
  readonly word: Buffer;
  readonly value: T;
}

export class WordTable<T> {
  /** By length and first letter; undefined where there is none. */
  readonly #entries: (readonly Entry<T>[] | undefined)[] = Array(LONGEST * FIRST_LETTERS).fill(undefined);

  /** @param words in lower case, ASCII */
  constructor(words: Iterable<readonly [string, T]>) {
    for (const [text, value] of words) {
      const word = Buffer.from(text);
      const place = placeOf(word.length, word[0] ?? 0);
      this.#entries[place] = [...(this.#entries[place] ?? []), { word, value }];
    }
  }

  /** What stands for the word in `text` from `start` up to `end`, written in whatever case. */
  find(text: Buffer, start: number, end: number): T | undefined {
    if (end - start >= LONGEST) return undefined;
    const entries = this.#entries[placeOf(end - start, text[start] ?? 0)];
    if (entries === undefined) return undefined;
    for (const { word, value } of entries) if (isAt(text, start, word)) return value;
    return undefined;
  }
}

function placeOf(length: number, first: number): number {
  return length * FIRST_LETTERS + (first % FIRST_LETTERS);
}

function isAt(text: Buffer, start: number, word: Buffer): boolean {
  for (let i = 0; i < word.length; i++) {
    const byte = text[start + i] ?? 0;
    const isCapital = byte >= 0x41 && byte <= 0x5a;
    if ((isCapital ? byte + 0x20 : byte) !== word[i]) return false;
  }
  return true;
}
