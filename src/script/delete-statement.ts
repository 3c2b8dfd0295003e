/** Reads the DELETE that a script is wanted for, in its own dialect. Its text is spliced, never printed back. */
import { ProxyError } from '../errors.js';
import { Cursor } from '../schema-files/cursor.js';
import type { FileName } from '../schema-files/definition.js';
import { type Dialect, LEXIS } from '../sql/dialects/dialect.js';
import { isWord, type Statement, statementsOf } from '../sql/dialects/statements.js';
import type { Token } from '../sql/dialects/tokens.js';
import { parse } from '../sql/parser/parser.js';
import { node } from '../sql/parser/tree.js';

export interface DeleteStatement {
  /** As the client has written it, without what ends it. */
  readonly text: string;
  readonly table: FileName;
  /** `users AS u`: the table as FROM names it. */
  readonly from: string;
  /** What names the table in front of a column: the alias, or its own name, as it is written. */
  readonly reference: string;
  /** PostgreSQL's USING list; empty where there is none. */
  readonly using: string;
  /** WHERE and all after it, as ORDER BY and LIMIT; empty where there is nothing. */
  readonly rest: string;
}

const FORMS: readonly (readonly [word: string, what: string])[] = [
  ['RETURNING', 'a RETURNING list'],
  ['CURRENT', 'WHERE CURRENT OF'],
];

/** @throws ProxyError PGC_SCRIPT where it is not one plain DELETE from one table */
export function readDelete(text: string, dialect: Dialect): DeleteStatement {
  const statement = onlyStatement(text, dialect);
  const lexis = LEXIS[dialect];
  const { tokens } = statement;
  const at = new Cursor(tokens, lexis);
  if (!at.skip('DELETE')) throw refused('what is not a DELETE (one that begins with WITH included)');
  if (!at.skip('FROM')) throw refused('a DELETE without FROM after it');
  if (at.isAt('ONLY')) throw refused('DELETE FROM ONLY');
  const first = at.token;
  const table = at.relationName();
  if (first === undefined || table === undefined) throw refused('a DELETE without the name of a table');
  const named = at.previous;
  at.skip('*');
  const alias = readAlias(at);
  const usingStart = at.isAt('USING') ? at.token : undefined;
  if (usingStart && dialect !== 'postgresql') throw refused('a DELETE with USING');
  if (!usingStart && !at.isAtEnd && !isRest(at))
    throw refused(`${JSON.stringify(at.token?.text)} after the name of the table`);
  while (!at.isAtEnd && !isRest(at)) at.nextWhole();
  const restStart = at.token;
  refuseForms(tokens, dialect);
  const upTo = (from: Token | undefined, to: Token | undefined) =>
    from === undefined ? '' : text.slice(from.start, to?.start ?? statement.end).trim();
  return {
    text: text.slice(statement.start, statement.end),
    table,
    from: upTo(first, usingStart ?? restStart),
    reference: alias ? text.slice(alias.start, alias.end) : text.slice(named.start, named.end),
    using: upTo(usingStart, restStart)
      .replace(/^using/i, '')
      .trim(),
    rest: upTo(restStart, undefined),
  };
}

function onlyStatement(text: string, dialect: Dialect): Statement {
  const words = new Set([
    'DELETE',
    'WITH',
    'INSERT',
    'UPDATE',
    'REPLACE',
    'TRUNCATE',
    'SELECT',
    'MERGE',
    'DROP',
  ]);
  const read = allOf(statementsOf(text, LEXIS[dialect], words));
  const [statement, ...more] = read.statements;
  if (read.unfinished !== undefined) throw refused('a string, name or comment without an end');
  if (statement === undefined) throw refused('what is not a DELETE');
  if (more.length > 0) throw refused('more than one statement');
  const trees = dialect === 'postgresql' ? parse(text) : undefined;
  if (dialect === 'postgresql' && (trees?.length !== 1 || !trees[0] || !node(trees[0].tree, 'DeleteStmt')))
    throw refused("what PostgreSQL's grammar does not take for one DELETE");
  return statement;
}

function readAlias(at: Cursor): Token | undefined {
  const isNamed = at.skip('AS');
  const { token } = at;
  const isAlias =
    token && (token.kind === 'name' || (token.kind === 'word' && !isRest(at) && !at.isAt('USING')));
  if (!isAlias && !isNamed) return undefined;
  at.next();
  return token;
}

const REST = ['WHERE', 'ORDER', 'LIMIT', 'RETURNING', 'PARTITION', 'INDEXED', 'NOT'];

function isRest(at: Cursor): boolean {
  return REST.some((word) => at.isAt(word));
}

function refuseForms(tokens: readonly Token[], dialect: Dialect): void {
  let depth = 0;
  tokens.forEach((token, i) => {
    if (token.kind === 'sign') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    if (isParameter(token, tokens[i + 1], dialect)) throw refused('a parameter: write its value');
    if (depth > 0) return;
    for (const [word, what] of FORMS)
      if (isWord(token, word) && (word !== 'CURRENT' || isWord(tokens[i + 1], 'OF'))) throw refused(what);
    const isHint = isWord(token, 'PARTITION') || isWord(token, 'INDEXED');
    if (isHint && !tokens.slice(0, i).some((each) => isWord(each, 'WHERE')))
      throw refused(`${token.text.toUpperCase()} after the name of the table`);
  });
}

function isParameter(token: Token, next: Token | undefined, dialect: Dialect): boolean {
  if (dialect === 'postgresql') return token.kind === 'number' && token.text.startsWith('$');
  if (token.kind !== 'sign') return false;
  const named = next?.start === token.end && next.kind === 'word';
  return (
    token.text === '?' || ((token.text === ':' || (token.text === '@' && dialect === 'sqlite')) && named)
  );
}

function refused(what: string): ProxyError {
  return new ProxyError('PGC_SCRIPT', { what });
}

function allOf<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
