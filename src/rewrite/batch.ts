/**
 * One DELETE many times in a string, which differs in constants. The server takes longer to plan an expanded statement than
 * to execute it, so it is prepared in the same string, before the first of them, and dropped behind the last:
 *
 *     PREPARE b (int4) AS WITH … DELETE … WHERE id = $1 …; EXECUTE b (1); EXECUTE b (2); …; DEALLOCATE b
 *
 * Where the string fails before its end, the session closes what is left behind: no transaction undoes PREPARE, and the
 * server reads a Close in a failed one, too.
 *
 * Between the first and the last there are DELETEs alone. Behind anything else their names are looked up again, as the
 * server would: an INSERT or a SELECT may call what makes a table that hides the one that is meant.
 */

import type { Steps } from '../pace.js';
import type { Copied } from '../render/splice.js';
import { splice } from '../render/splice.js';
import { MARKER } from '../render/violations.js';
import { quoteName } from '../sql/names.js';
import type { Compared } from '../sql/statement/compared.js';
import type { DeletingStatement, Statement } from '../sql/statement/statement.js';
import type { Expanded, RewriteContext } from './statement/context.js';
import type { ReplyRule } from './statement/reply-rule.js';
import { expand } from './statement/statement.js';

/** The first five executions of a prepared statement are planned each (plancache.c, choose_custom_plan). */
const FEWEST = 8;
/** Others with each sending, as the marker is. */
const NAME = `${MARKER}batch`;

const PREPARED: ReplyRule = { kind: 'swallow' };
/** The DELETE before it is answered when it has ended: it may be the end of the transaction. */
const DROPPED: ReplyRule = { kind: 'leave' };

export interface Batches {
  /** What goes in the place of a statement that is one of many. */
  readonly members: ReadonlyMap<Statement, Expanded>;
  /** As Rewrite.leaves. */
  readonly leaves: readonly string[];
}

/** One of the statements that differ in constants alone. */
interface Member {
  readonly statement: Statement;
  /** Its own text. */
  readonly own: string;
  readonly constants: readonly Compared[];
}

/** @returns no members where the server may not be made to prepare anything, or nothing is there often enough */
export function* batchesIn(
  text: string,
  statements: readonly Statement[],
  means: RewriteContext,
): Steps<Batches> {
  const members = new Map<Statement, Expanded>();
  const leaves: string[] = [];
  if (statements.length < FEWEST || !means.prepares) return { members, leaves };
  const stretches: Map<string, Member[]>[] = [];
  let goesOn = false;
  for (const statement of statements) {
    yield;
    const own = text.slice(statement.start, statement.end);
    const [shape, constants] = shapeOf(statement, own) ?? [];
    if (!goesOn) stretches.push(new Map());
    goesOn = shape !== undefined;
    if (shape === undefined || constants === undefined) continue;
    const shapes = stretches.at(-1);
    const alike = shapes?.get(shape) ?? [];
    alike.push({ statement, own, constants });
    shapes?.set(shape, alike);
  }
  for (const alike of stretches.flatMap((each) => [...each.values()])) {
    if (alike.length < FEWEST) continue;
    const name = `${NAME}${leaves.length}`;
    if (yield* prepareOnce(alike, name, means, members)) leaves.push(name);
  }
  return { members, leaves };
}

/** @returns false where what can be prepared is not all that has to be done */
function* prepareOnce(
  alike: readonly Member[],
  name: string,
  means: RewriteContext,
  members: Map<Statement, Expanded>,
): Steps<boolean> {
  const [first, last] = [alike[0], alike.at(-1)];
  if (first === undefined) return false;
  const { rules, sql, copied = [], warnings = [] } = yield* expand(first.own, first.statement, means);
  const [part, ...more] = rules;
  if (part?.kind !== 'cascade' || part.answers.kind !== 'count' || more.length > 0 || sql === undefined)
    return false;
  const parameters = first.constants.map(({ start, end }, i) => {
    const run = copied.find(({ client, length }) => start >= client && end <= client + length);
    const moved = run && run.sent - run.client;
    return moved === undefined ? undefined : { start: start + moved, end: end + moved, sql: `$${i + 1}` };
  });
  const edits = parameters.flatMap((each) => each ?? []);
  if (edits.length < parameters.length) return false;
  const prepared = splice(sql, edits);
  const types = first.constants.map(({ type }) => `pg_catalog.${type}`).join(', ');
  for (const member of alike) {
    yield;
    const made = new Sent();
    if (member === first) {
      made.add(`PREPARE ${quoteName(name)} (${types}) AS `);
      made.add(prepared.sql, joined(copied, prepared.copied));
      made.add('\n; ');
    }
    execute(name, member, made);
    if (member === last) made.add(`\n; DEALLOCATE ${quoteName(name)}`);
    members.set(member.statement, {
      sql: made.sql,
      copied: made.copied,
      rules: [...(member === first ? [PREPARED] : []), part, ...(member === last ? [DROPPED] : [])],
      warnings: member === first ? warnings : [],
    });
  }
  return true;
}

function execute(name: string, { own, constants }: Member, made: Sent): void {
  made.add(`EXECUTE ${quoteName(name)} (`);
  for (const { start, end } of constants) {
    if (start !== constants[0]?.start) made.add(', ');
    made.add(own.slice(start, end), [{ client: start, sent: 0, length: end - start }]);
  }
  made.add(')');
}

/** The text without its constants, but with their types; and the constants. */
function shapeOf(
  { meaning }: Statement,
  own: string,
): readonly [string, DeletingStatement['compared']] | undefined {
  if (meaning.kind !== 'deleting' || meaning.compared.length === 0) return undefined;
  const edits = meaning.compared.map(({ type, ...place }) => ({ ...place, sql: `\0${type}` }));
  return [splice(own, edits).sql, meaning.compared];
}

/** Runs of the client's text in a text, and of that text in another one: those of the client's in the other one. */
function joined(outer: readonly Copied[], inner: readonly Copied[]): readonly Copied[] {
  return inner.flatMap((run) =>
    outer.flatMap((each): readonly Copied[] => {
      const start = Math.max(run.client, each.sent);
      const end = Math.min(run.client + run.length, each.sent + each.length);
      if (end <= start) return [];
      const client = each.client + start - each.sent;
      return [{ client, sent: run.sent + start - run.client, length: end - start }];
    }),
  );
}

/** What is sent, in the making. */
class Sent {
  readonly #pieces: string[] = [];
  readonly copied: Copied[] = [];
  #length = 0;

  get sql(): string {
    return this.#pieces.join('');
  }

  add(sql: string, copied: readonly Copied[] = []): void {
    for (const run of copied) this.copied.push({ ...run, sent: this.#length + run.sent });
    this.#pieces.push(sql);
    this.#length += sql.length;
  }
}
