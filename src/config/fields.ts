import { z } from 'zod';
import { checkListenAddress, formatAddress, parseAddress } from './address.js';
import { parseGraphUrl } from './graph-url.js';
import { checkName, parseKeyColumns } from './key-columns.js';
import { parseUpstream } from './upstream.js';
import { parseBytes, parseDuration, parseTimeout, quote, ValueError } from './values/values.js';

// The building blocks of the schema: one for each kind of value.

/** A value that `parse` turns into what the program uses. */
export function parsed<Input, Output>(input: z.ZodType<Input, Input>, parse: (value: Input) => Output) {
  return input.transform((value, context): Output => attempt(context, [], () => parse(value)));
}

/** A ValueError becomes a problem of the key. */
function attempt<T>(context: z.core.$RefinementCtx, path: PropertyKey[], parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    context.addIssue({ code: 'custom', message: error.message, path });
    return z.NEVER;
  }
}

/** One of a few words. `later` are words that are planned, and refused as not yet supported. */
export function choice<const Word extends string>(words: readonly Word[], later: readonly string[] = []) {
  return z.enum(words, {
    error: ({ input }) =>
      typeof input === 'string' && later.includes(input)
        ? `${quote(input)} is not yet supported`
        : notOneOf(input, words),
  });
}

function notOneOf(input: unknown, words: readonly string[]): string {
  return input === undefined ? 'is missing' : `${quote(input)} is not one of ${words.join(', ')}`;
}

export const notYet = { error: 'not yet supported' };
export const laterKey = () => z.null(notYet).default(null);

/** A section. YAML reads one whose keys are all commented out as null: then the section has its defaults. */
export function section<Shape extends z.ZodRawShape>(shape: Shape, whenNull: object = {}) {
  return z
    .preprocess((value) => (value === null ? whenNull : value), z.strictObject(shape))
    .prefault({})
    .meta({ type: ['object', 'null'] });
}

const durationText = z.union([z.string(), z.number()], {
  error: ({ input }) => `${quote(input)} is not a duration such as 5s`,
});
export const duration = parsed(durationText, parseDuration);
/** A duration above 0, for what nobody could do in no time. */
export const timeout = parsed(durationText, parseTimeout);
export const bytes = parsed(
  z.union([z.string(), z.number()], { error: ({ input }) => `${quote(input)} is not a size such as 64MiB` }),
  parseBytes,
);
/** What a file has: text in PEM, lines, or a line of auth.users. */
const CONTENT = /-----BEGIN |\n.|"[^"]*"\s*"/;
/** The path of a file. One that is relative is seen from the working directory. */
export const file = z
  .string({ error: ({ input }) => `${shown(input)} is not the path of a file` })
  .min(1, { error: 'is empty: name a file, or say null' })
  // Not repeated: it may be a private key.
  .refine((text) => !CONTENT.test(text), {
    error: 'is what a file should have, and not its path: name the file',
  });
export const tcpAddress = parsed(z.string(), (text) => formatAddress(parseAddress(text)));
const name = parsed(z.string(), checkName);
const keyColumns = parsed(z.string(), parseKeyColumns);

export const listen = z
  .union([z.string(), z.array(z.string()).min(1)], {
    error: ({ input }) => `${quote(input)} is not an address or a list of addresses`,
  })
  .transform((value, context) =>
    [value]
      .flat()
      .map((address, index) =>
        attempt(context, Array.isArray(value) ? [index] : [], () => checkListenAddress(address)),
      ),
  );

// The URL may have a password in it, so that a wrong value is never repeated.
export const upstream = parsed(
  z.string({ error: 'is neither "embedded" nor a postgres:// URL' }),
  parseUpstream,
);

export const graphUrl = parsed(z.string({ error: 'is not a postgres:// URL' }), parseGraphUrl);

const ACTIONS = ['cascade', 'set null', 'set default', 'restrict', 'no action'] as const;
const SPELLINGS = [...ACTIONS, 'set_null', 'set_default', 'no_action'] as const;

/** What happens to the referencing rows, as SQL says it. */
export type OnDelete = (typeof ACTIONS)[number];

// SQL has no capitals of its own: SET NULL is set null.
const action = z.preprocess(
  (value) => (typeof value === 'string' ? value.toLowerCase() : value),
  z.enum(SPELLINGS, { error: ({ input }) => notOneOf(input, ACTIONS) }),
);
const asInSql = (spelling: (typeof SPELLINGS)[number]) => spelling.replace('_', ' ') as OnDelete;
const onDelete = action
  .nonoptional({ error: 'is missing' })
  .transform(asInSql)
  .describe('What is done to the referencing rows when the referenced row is deleted.');

const onUpdate = action
  .default('no action')
  .transform(asInSql)
  .describe('What is done to the referencing rows when the referenced key is changed, with guard: check.');

export const override = z.strictObject({
  match: z
    .string()
    .regex(/^[^.]+\.[^.]+\.[^.]+$/, {
      error: ({ input }) => `${quote(input)} is not of the form schema.table.constraint`,
    })
    .describe('schema.table.constraint, as the catalog spells them; * is any text, ? any character.'),
  on_delete: onDelete,
});

export const relation = z
  .strictObject({
    name: name.describe("The constraint's name in error messages."),
    from: keyColumns.describe('The referencing side: schema.table(column, …), quoted as in SQL.'),
    to: keyColumns.describe('The referenced side: schema.table(column, …), as many columns.'),
    on_delete: onDelete,
    on_update: onUpdate,
    unique: z
      .boolean()
      .default(true)
      .describe(
        'false: several referenced rows may have one key, and the children go with each of them that is deleted.',
      ),
  })
  .superRefine(({ from, to }, context) => {
    const problem = (message: string, side: 'from' | 'to') =>
      context.addIssue({ code: 'custom', message, path: [side] });
    if (from.columns.length !== to.columns.length)
      problem(`has ${to.columns.length} columns where from has ${from.columns.length}`, 'to');
    const twice = to.columns.find((column, i) => to.columns.indexOf(column) < i);
    if (twice !== undefined) problem(`has the column ${quote(twice)} twice`, 'to');
    for (const [side, { schema }] of [
      ['from', from],
      ['to', to],
    ] as const)
      if (TEMPORARY.test(schema)) problem(`${quote(schema)} is another schema in every session`, side);
  });

/** The dialects that schema files are read in: DIALECTS of src/sql/dialects. */
const DIALECTS = ['postgresql', 'mysql', 'mariadb', 'sqlite', 'redshift', 'greenplum'] as const;

export const schemaFile = z.strictObject({
  path: file.describe('The file: CREATE and ALTER TABLE statements, as a dump without data has them.'),
  dialect: choice(DIALECTS).describe('What the file is written in.'),
  schema: name
    .prefault('public')
    .describe("Where the tables are, in PostgreSQL's words, that the file names without a schema."),
});

/** Where temporary tables are (namespace.c): under one name for every session, and under a number for each. */
const TEMPORARY = /^pg_(?:toast_)?temp(?:_\d+)?$/;

/** Somebody may have written in place of a file's path what the file should have: users with their passwords, a key. */
function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'what stands there' : quote(value);
}
