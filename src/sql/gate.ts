/**
 * The cheap look at every statement: most cannot delete and must cost next to nothing.
 *
 * Both questions are asked of the bytes as latin1, one character a byte. That is right for every client encoding:
 * keywords are ASCII, and a byte of another character can make an answer true too often, never too seldom.
 */

/**
 * Every statement that can delete rows, or run one that can, has one of these words in it; and every one that makes the
 * server forget prepared statements.
 */
const NOTEWORTHY = /\b(?:delete|merge|truncate|execute|deallocate|discard)\b/i;

/** Spaces and comments before a statement. One comment inside of another is left to be none: that is safe. */
const BLANK = String.raw`(?:\s|--[^\n\r]*(?:[\n\r]|$)|/\*(?:(?!/\*|\*/)[\s\S])*\*/)*`;
const startingWith = (words: string) => new RegExp(`^${BLANK}(?:${words})`, 'i');
/** A word that is the next one, or may be it: behind a comment inside of another. */
const before = (word: string) => String.raw`${BLANK}(?:${word}\b|/\*(?:(?!\*/)[\s\S])*/\*)`;

/**
 * Statements that start with one of these change neither what a name means nor a setting of the session.
 * (What a function called from them does cannot be seen; the expanded statement checks the names itself.)
 */
const HARMLESS = startingWith(
  `(?:select|insert|update|delete|values|with|table|merge|begin|start|savepoint|release|show|explain|copy|fetch|move|close|declare|listen|notify|unlisten|lock|prepare(?!${before('transaction')})|deallocate|vacuum|analyze|checkpoint)\\b`,
);
/** These end a transaction, and with it what was set or changed in it. */
const ENDING = startingWith(
  `(?:commit|end|rollback|abort|prepare${BLANK}transaction)\\b(?!${before('prepared')})`,
);
/** These change settings, and never the schema. */
const SETTING = startingWith(String.raw`(?:set|reset|discard)\b`);
/** A function that sets, and a second statement. */
const HIDDEN = /set_config|;\s*\S/i;
/** SELECT … INTO makes a table. */
const INTO = startingWith(String.raw`(?:select|with)\b[\s\S]*\binto\b`);

/** What a text may do to the statements after it, at the most. */
export type SessionEffect = 'none' | 'ends' | 'settings' | 'schema';

/** Statements that run code in the server. */
const CODE = /\b(?:do|call)\b/i;

/**
 * Whether a text may delete rows, or concerns prepared ones that do: false is certain, true wants the parser.
 * @param code whether DO and CALL are of interest too
 */
export function isNoteworthy(text: Buffer, code: boolean): boolean {
  const sql = text.toString('latin1');
  return NOTEWORTHY.test(sql) || (code && CODE.test(sql));
}

/**
 * Every statement that makes the server ask for data has these two words in it: COPY … FROM STDIN, where STDOUT means the
 * same (copy_file_name in gram.y), or the one of replication. SQL cannot prepare it, and no function execute it.
 */
const COPY = /\bcopy\b/i;
const CLIENT = /\bstd(?:in|out)\b/i;
const MANIFEST = /\bupload_manifest\b/i;

/** Whether a text may take data from the client while it is executed: false is certain. */
export function mayTakeData(text: Buffer | string): boolean {
  const sql = text.toString('latin1');
  return (CLIENT.test(sql) && COPY.test(sql)) || MANIFEST.test(sql);
}

/** Whether a text may change what names mean, a setting, or the schema: `none` is certain. */
export function sessionEffect(text: Buffer): SessionEffect {
  const sql = text.toString('latin1');
  if (HIDDEN.test(sql) || INTO.test(sql)) return 'schema';
  if (HARMLESS.test(sql)) return 'none';
  if (ENDING.test(sql)) return 'ends';
  return SETTING.test(sql) ? 'settings' : 'schema';
}
