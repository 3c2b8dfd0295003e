/** Short strings that come again with every connection: the names of parameters, and most of their values. */

/** Clients choose some of them: beyond so many, they are gathered anew. */
const MOST = 256;
/** In characters. */
const LONGEST = 64;

const known = new Map<string, string>();

/** The strings between zeros, in UTF-8. Of one that has come before, all have the same: else each session would have its own. */
export function internedTexts(bytes: Buffer, start: number, end: number): string[] {
  const found: string[] = [];
  for (let at = start; at <= end; ) {
    const zero = bytes.indexOf(0, at);
    const textEnd = zero < 0 ? end : Math.min(zero, end);
    found.push(interned(bytes.toString('utf8', at, textEnd)));
    at = textEnd + 1;
  }
  return found;
}

function interned(text: string): string {
  if (text.length > LONGEST) return text;
  const same = known.get(text);
  if (same !== undefined) return same;
  if (known.size >= MOST) known.clear();
  known.set(text, text);
  return text;
}
