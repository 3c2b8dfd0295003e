/** The dialects of SQL that schema files and scripts are written in, and how a text in each of them is cut into tokens. */

export const DIALECTS = ['postgresql', 'mysql', 'mariadb', 'sqlite', 'redshift', 'greenplum'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** What a scanner has to know. */
export interface Lexis {
  /** What stands before and after a quoted name; inside of it the last one stands for itself where it is doubled. */
  readonly nameQuotes: ReadonlyMap<string, string>;
  /** A string may stand where a name is wanted (sqlite.org/quirks.html, section 8). */
  readonly stringsAsNames: boolean;
  readonly stringQuotes: string;
  /** A backslash in a plain string takes the next character with it. */
  readonly backslashes: boolean;
  /** `$tag$…$tag$`, E'…', and comments inside of comments. */
  readonly dollars: boolean;
  /** `#` begins a comment, `--` only before white space, and what stands in `/*!` is no comment. DELIMITER changes the semicolon. */
  readonly client: 'mysql' | 'other';
  /** What becomes of a name without quotes. */
  readonly fold: (name: string) => string;
  /** And of one with quotes. */
  readonly foldQuoted: (name: string) => string;
  /** What a key does whose ON DELETE is not written, which dumps leave out. */
  readonly unwritten: 'no action' | 'restrict';
  /** Names that differ in the case of their letters alone are the same name. */
  readonly ignoresCase: boolean;
}

const asWritten = (name: string) => name;
/** PostgreSQL folds ASCII alone in a multi-byte encoding: scansup.c, downcase_identifier. */
const toLower = (name: string) => name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

const POSTGRES: Lexis = {
  nameQuotes: new Map([['"', '"']]),
  stringsAsNames: false,
  stringQuotes: "'",
  backslashes: false,
  dollars: true,
  client: 'other',
  fold: toLower,
  foldQuoted: asWritten,
  unwritten: 'no action',
  ignoresCase: false,
};

/** sql_mode without ANSI_QUOTES and NO_BACKSLASH_ESCAPES, as mysqldump sets it. */
const MYSQL: Lexis = {
  nameQuotes: new Map([['`', '`']]),
  stringsAsNames: false,
  stringQuotes: `'"`,
  backslashes: true,
  dollars: false,
  client: 'mysql',
  fold: asWritten,
  foldQuoted: asWritten,
  unwritten: 'no action',
  ignoresCase: true,
};

const SQLITE: Lexis = {
  nameQuotes: new Map([
    ['"', '"'],
    ['`', '`'],
    ['[', ']'],
  ]),
  stringsAsNames: true,
  stringQuotes: "'",
  backslashes: false,
  dollars: false,
  client: 'other',
  fold: asWritten,
  foldQuoted: asWritten,
  unwritten: 'no action',
  ignoresCase: true,
};

export const LEXIS: Readonly<Record<Dialect, Lexis>> = {
  postgresql: POSTGRES,
  greenplum: POSTGRES,
  // Redshift writes quoted names in lower case too, unless enable_case_sensitive_identifier is on.
  redshift: { ...POSTGRES, foldQuoted: toLower },
  mysql: MYSQL,
  mariadb: { ...MYSQL, unwritten: 'restrict' },
  sqlite: SQLITE,
};
