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

/**
 * Statements that start with one of these change neither what a name means nor a setting of the session.
 * (What a function called from them does cannot be seen; the expanded statement checks the names itself.)
 */
const HARMLESS =
  /^\s*(?:select|insert|update|delete|values|with|table|merge|begin|start|savepoint|release|show|explain|copy|fetch|move|close|declare|listen|notify|unlisten|lock|prepare|deallocate|vacuum|analyze|checkpoint)\b/i;
/** These end a transaction, and with it what was set or changed in it. */
const ENDING = /^\s*(?:commit|end|rollback|abort)\b(?!\s+prepared\b)/i;
/** These change settings, and never the schema. */
const SETTING = /^\s*(?:set|reset|discard)\b/i;
/** A function that sets, a second statement, and SELECT … INTO, which makes a table. */
const HIDDEN = /set_config|;\s*\S|^\s*(?:select|with)\b[\s\S]*\binto\b/i;

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

/** Whether a text may change what names mean, a setting, or the schema: `none` is certain. */
export function sessionEffect(text: Buffer): SessionEffect {
  const sql = text.toString('latin1');
  if (HIDDEN.test(sql)) return 'schema';
  if (HARMLESS.test(sql)) return 'none';
  if (ENDING.test(sql)) return 'ends';
  return SETTING.test(sql) ? 'settings' : 'schema';
}
