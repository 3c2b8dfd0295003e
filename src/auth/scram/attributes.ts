/** SCRAM's messages are attributes, `a=value`, with commas between them (RFC 5802, section 5). */

/** A message that is none of SCRAM's. It says what is wrong in PostgreSQL's words, and repeats no value. */
export class MalformedScram extends Error {}

export class Attributes {
  readonly #text: string;
  #at = 0;

  /** @param text with one character for each byte */
  constructor(text: string) {
    if (text === '') throw new MalformedScram('The message is empty.');
    if (text.includes('\0')) throw new MalformedScram('Message length does not match input length.');
    this.#text = text;
  }

  /** Where the next attribute begins. */
  get at(): number {
    return this.#at;
  }

  get isOver(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The character that comes next, and is not an attribute; empty at the end. */
  character(): string {
    return this.#text.charAt(this.#at++);
  }

  /** The value of the next attribute, which has to be this one. @throws MalformedScram */
  value(name: string): string {
    const found = this.#text.charAt(this.#at);
    if (found !== name)
      throw new MalformedScram(`Expected attribute "${name}" but found "${printable(found)}".`);
    return this.next().value;
  }

  /** The next attribute, whichever it is. @throws MalformedScram */
  next(): { readonly name: string; readonly value: string } {
    const name = this.character();
    if (name === '') throw new MalformedScram('Attribute expected, but found end of string.');
    if (!/[A-Za-z]/.test(name))
      throw new MalformedScram(`Attribute expected, but found invalid character "${printable(name)}".`);
    if (this.character() !== '=') throw new MalformedScram(`Expected character "=" for attribute "${name}".`);
    const comma = this.#text.indexOf(',', this.#at);
    const end = comma < 0 ? this.#text.length : comma;
    const value = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return { name, value };
  }
}

/** A character as messages show it (sanitize_char in auth-scram.c). */
export function printable(character: string): string {
  if (/^[!-~]$/.test(character)) return `'${character}'`;
  return `0x${(character.charCodeAt(0) || 0).toString(16).padStart(2, '0')}`;
}

/** What a nonce consists of: printable ASCII without the comma. */
export const NONCE = /^[!-+\--~]*$/;
