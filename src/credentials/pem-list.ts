/** What stands in a file one after the other, in PEM: certificates, or lists of revoked ones. */

/** What a file is a list of. */
export interface PemKind {
  /** For messages: `certificate`. */
  readonly name: string;
  /** How one begins, wherever it stands. With the flag g. */
  readonly beginning: RegExp;
  /** @param pem one of them, and what stands between it and the next */
  readonly isSound: (pem: string) => boolean;
}

/** Either each of them, and what stands after it; or what is the matter, as the end of a sentence that begins with the file. */
export type PemList =
  | { readonly kind: 'read'; readonly parts: readonly string[] }
  | { readonly kind: 'broken'; readonly problem: string };

/** Looks at each of them: OpenSSL, as Node.js calls it, says nothing of one that it cannot read after another one. */
export function readPemList(pem: Buffer, { name, beginning, isSound }: PemKind): PemList {
  const text = pem.toString('latin1');
  const starts = Array.from(text.matchAll(beginning), ({ index }) => index);
  const parts = starts.map((start, i) => text.slice(start, starts[i + 1]));
  if (parts.length === 0) return { kind: 'broken', problem: `has no ${name} in it (PEM)` };
  const broken = parts.findIndex((part) => !isSound(part));
  if (broken < 0) return { kind: 'read', parts };
  const which = parts.length === 1 ? `the ${name}` : `${name} ${broken + 1} of ${parts.length}`;
  return { kind: 'broken', problem: `is broken: ${which} in it cannot be read (PEM)` };
}
