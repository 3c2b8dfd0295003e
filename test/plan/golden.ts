/** The sections of a golden file: a title, then `-- name` lines with what follows them. */

export interface Golden {
  /** What the case shows, in a sentence or two. */
  readonly title: string;
  /** CREATE statements. */
  readonly schema: string;
  /** The configuration's `cascade` in YAML, where the case has one. */
  readonly cascade: string | undefined;
  readonly statement: string;
  /** What the program makes of it: name of the section to its text. */
  readonly made: ReadonlyMap<string, string>;
}

const GIVEN = ['schema', 'cascade', 'statement'];

/** @throws Error where the schema or the statement is missing */
export function readGolden(text: string): Golden {
  const [title = '', ...rest] = text.split(/^-- (.*)$/m);
  const sections = new Map<string, string>();
  for (let i = 0; i + 1 < rest.length; i += 2) sections.set(rest[i] ?? '', (rest[i + 1] ?? '').trim());
  const schema = sections.get('schema');
  const statement = sections.get('statement');
  if (schema === undefined || statement === undefined) throw new Error('no -- schema or no -- statement');
  const made = new Map([...sections].filter(([name]) => !GIVEN.includes(name)));
  return { title: title.trim(), schema, cascade: sections.get('cascade'), statement, made };
}

export function writeGolden({ title, schema, cascade, statement, made }: Golden): string {
  const sections: readonly (readonly [string, string])[] = [
    ['schema', schema],
    ...(cascade === undefined ? [] : [['cascade', cascade] as const]),
    ['statement', statement],
    ...made,
  ];
  return `${[title, ...sections.map(([name, text]) => `-- ${name}\n${text}`)].join('\n\n')}\n`;
}
