/** The golden files, each a title, then `-- name` lines with what follows them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface Golden {
  /** What the case shows, in a sentence or two. */
  readonly title: string;
  /** CREATE statements. */
  readonly schema: string;
  /** The configuration's `cascade` in YAML, where the case has one. */
  readonly cascade: string | undefined;
  /** The name of the server's family; undefined for PostgreSQL. */
  readonly family: string | undefined;
  /** Where plain statements carry it out, the rows that these find, in YAML (plain-text.ts). */
  readonly found: string | undefined;
  readonly statement: string;
  /** What the program makes of it: name of the section to its text. */
  readonly made: ReadonlyMap<string, string>;
}

const folder = new URL('./', import.meta.url);

/** Their names. */
export const GOLDEN_FILES = readdirSync(folder).filter((name) => name.endsWith('.golden'));

const GIVEN = ['schema', 'cascade', 'family', 'found', 'statement'] as const;

/** @throws Error where the schema or the statement is missing */
export function readGolden(name: string): Golden {
  const text = readFileSync(new URL(name, folder), 'utf8');
  const [title = '', ...rest] = text.split(/^-- (.*)$/m);
  const sections = new Map<string, string>();
  for (let i = 0; i + 1 < rest.length; i += 2) sections.set(rest[i] ?? '', (rest[i + 1] ?? '').trim());
  const schema = sections.get('schema');
  const statement = sections.get('statement');
  if (schema === undefined || statement === undefined)
    throw new Error(`${name} has no -- schema or no -- statement`);
  const made = new Map([...sections].filter(([section]) => !GIVEN.some((given) => given === section)));
  const [cascade, family, found] = ['cascade', 'family', 'found'].map((section) => sections.get(section));
  return { title: title.trim(), schema, cascade, family, found, statement, made };
}

export function writeGolden(name: string, { title, made, ...golden }: Golden): void {
  const given = GIVEN.flatMap((section): (readonly [string, string])[] => {
    const text = golden[section];
    return text === undefined ? [] : [[section, text]];
  });
  const sections: readonly (readonly [string, string])[] = [...given, ...made];
  const text = [title, ...sections.map(([section, text]) => `-- ${section}\n${text}`)].join('\n\n');
  writeFileSync(new URL(name, folder), `${text}\n`);
}
