/** Which users a certificate stands for: a file like pg_ident.conf without its first column, `common-name user`. */
import type { LineProblem } from './line-problem.js';

export type CertificateMapping = ExactMapping | PatternMapping;

interface ExactMapping {
  readonly kind: 'exact';
  readonly commonName: string;
  readonly user: string;
}

interface PatternMapping {
  readonly kind: 'pattern';
  readonly pattern: RegExp;
  /** `\1` stands for what the first group of the pattern has found. */
  readonly user: string;
}

/** Words are separated by spaces, or stand in double quotes, which are doubled inside of them. `#` begins a comment. */
const WORD = /\s*(?:"((?:[^"]|"")*)"|([^\s"#]+))(?=[\s#]|$)/y;
const REST = /\s*(?:#.*)?$/y;

/** Reads each line as a mapping, or says why it is none. */
export function parseCertificateMap(text: string): {
  readonly mappings: readonly CertificateMapping[];
  readonly problems: readonly LineProblem[];
} {
  const mappings: CertificateMapping[] = [];
  const problems: LineProblem[] = [];
  text.split(/\r?\n/).forEach((content, index) => {
    const words = wordsOf(content);
    if (words?.length === 0) return;
    const mapping = words ? mappingOf(words) : FORM;
    if (typeof mapping === 'string') problems.push({ line: index + 1, text: mapping });
    else mappings.push(mapping);
  });
  return { mappings, problems };
}

/** Whether a client whose certificate has this common name may log in as this user. */
export function mayBe(mappings: readonly CertificateMapping[], commonName: string, user: string): boolean {
  return mappings.some((mapping) => userOf(mapping, commonName) === user);
}

function userOf(mapping: CertificateMapping, commonName: string): string | undefined {
  if (mapping.kind === 'exact') return mapping.commonName === commonName ? mapping.user : undefined;
  const found = mapping.pattern.exec(commonName);
  return found ? mapping.user.replace('\\1', () => found[1] ?? '') : undefined;
}

const FORM = 'is not of the form common-name user';

/** @returns undefined where the line is no list of words */
function wordsOf(content: string): readonly string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    WORD.lastIndex = at;
    const [whole, quoted, plain] = WORD.exec(content) ?? [];
    if (whole === undefined) break;
    words.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    at += whole.length;
  }
  REST.lastIndex = at;
  return REST.test(content) ? words : undefined;
}

/** As in pg_ident.conf, a slash begins a regular expression, which may match any part of the name. */
function mappingOf(words: readonly string[]): CertificateMapping | string {
  const [commonName = '', user = '', ...more] = words;
  if (commonName === '' || user === '' || more.length > 0) return FORM;
  if (!commonName.startsWith('/')) return { kind: 'exact', commonName, user };
  try {
    return { kind: 'pattern', pattern: new RegExp(commonName.slice(1), 'u'), user };
  } catch {
    return `${JSON.stringify(commonName)} is not a regular expression`;
  }
}
