/** The file of users, in the format of PgBouncer's auth_file: `"name" "secret"`, one a line. */
import { parseScramSecret, SCRAM_PREFIX, type ScramSecret } from '../scram/secret.js';
import type { LineProblem } from './line-problem.js';

/** What is known of a user's password. */
export type UserSecret =
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'scram'; readonly secret: ScramSecret };

export interface UserEntry {
  readonly name: string;
  readonly secret: UserSecret;
}

/** NAMEDATALEN - 1: the server cuts longer names. */
const LONGEST_NAME_BYTES = 63;
/** Spaces may stand before a comment, and before the first quote. What stands after the second value is ignored. */
const NOTHING = /^\s*(?:;.*)?$/;
const ENTRY = /^\s*"((?:[^"]|"")*)"[^"]*"((?:[^"]|"")*)"/;
const MD5 = /^md5[0-9a-f]{32}$/i;

/**
 * Reads what PgBouncer reads (load_auth_file in its loader.c), and takes nothing on trust: where PgBouncer would ignore the rest
 * of a file, or one of two lines, there is a problem.
 */
export function parseUserList(text: string): {
  readonly entries: readonly UserEntry[];
  readonly problems: readonly LineProblem[];
} {
  const entries = new Map<string, UserEntry & { readonly line: number }>();
  const problems: LineProblem[] = [];
  text.split(/\r?\n/).forEach((content, index) => {
    const line = index + 1;
    if (NOTHING.test(content)) return;
    const read = readEntry(content, (name) => entries.get(name)?.line);
    if (typeof read === 'string') problems.push({ line, text: read });
    else entries.set(read.name, { ...read, line });
  });
  return { entries: [...entries.values()].map(({ name, secret }) => ({ name, secret })), problems };
}

/** @returns the text of a problem where it is none */
function readEntry(content: string, lineOf: (name: string) => number | undefined): UserEntry | string {
  const values = ENTRY.exec(content)
    ?.slice(1)
    .map((value) => value.replaceAll('""', '"'));
  const [name, secret] = values ?? [];
  if (name === undefined || secret === undefined)
    return 'is not of the form "name" "secret", each in double quotes';
  if (name === '') return 'has no name';
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES)
    return `has a name of more than ${LONGEST_NAME_BYTES} bytes, which no user has`;
  if (content.includes('\0')) return 'has a zero byte in it';
  const user = `user ${JSON.stringify(name)}`;
  const before = lineOf(name);
  if (before !== undefined) return `${user} is in line ${before} already`;
  if (secret === '') return `${user} has an empty password, with which nobody can log in`;
  if (MD5.test(secret))
    return `${user} has an MD5 secret, by which no client can log in with SCRAM: give the password, or the SCRAM secret that pg_authid has after a new one is set`;
  if (!secret.startsWith(SCRAM_PREFIX)) return { name, secret: { kind: 'password', password: secret } };
  const scram = parseScramSecret(secret);
  return scram
    ? { name, secret: { kind: 'scram', secret: scram } }
    : `${user} has a secret that begins as one of SCRAM and is none: copy rolpassword of pg_authid as a whole`;
}
