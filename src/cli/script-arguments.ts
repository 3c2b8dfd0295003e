/** What the command `script` is asked for. */
import { nearest } from '../config/problems.js';
import { SCRIPT_DIALECTS, type ScriptDialectName } from '../script/dialects/names.js';

const FORMATS = ['text', 'json'] as const;

export interface ScriptFlags {
  readonly schema?: string | undefined;
  readonly dialect?: string | undefined;
  readonly format?: string | undefined;
  readonly out?: string | undefined;
}

export interface ScriptRequest {
  /** The path of the schema file, as given. */
  readonly schema: string;
  readonly dialect: ScriptDialectName;
  readonly format: (typeof FORMATS)[number];
  /** The path of a file, as given; undefined for standard output. */
  readonly out: string | undefined;
  readonly statement: string;
}

/**
 * @param others the flags of other commands, of which there may be none: no configuration is read
 * @returns what is wrong where it is text
 */
export function readScriptRequest(
  { schema, dialect, format = 'text', out }: ScriptFlags,
  others: Readonly<Record<string, unknown>>,
  [statement, extra]: readonly string[],
): ScriptRequest | string {
  const [other] = Object.entries(others).filter(([, value]) => value !== undefined);
  if (other) return `script takes no --${other[0]}: it reads no configuration`;
  if (schema === undefined || schema === '')
    return 'script needs --schema FILE: the tables, as a dump without data has them';
  const known = SCRIPT_DIALECTS.find((each) => each === dialect);
  if (known === undefined) return unknownWord('--dialect', dialect, SCRIPT_DIALECTS);
  const wanted = FORMATS.find((each) => each === format);
  if (wanted === undefined) return unknownWord('--format', format, FORMATS);
  if (out === '') return '--out is empty: name a file, or leave it out';
  if (statement === undefined)
    return 'script needs a statement: pgcascade script … "DELETE FROM orgs WHERE id = 1"';
  if (extra !== undefined)
    return `script takes one statement, and ${JSON.stringify(extra)} is a second one: quote it as a whole`;
  return { schema, dialect: known, format: wanted, out, statement };
}

function unknownWord(flag: string, word: string | undefined, known: readonly string[]): string {
  if (word === undefined) return `script needs ${flag}: ${known.join(', ')}`;
  const near = nearest(word, known);
  return `${flag} is one of ${known.join(', ')}, not ${JSON.stringify(word)}${near === undefined ? '' : `: did you mean ${near}?`}`;
}
