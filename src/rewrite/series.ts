/**
 * A series: many DELETEs of one string that differ in constants alone. The server takes longer to plan an expanded statement than to
 * execute it. So the statement is prepared in the same string, before the first DELETE, and dropped after the last:
 *
 *     PREPARE s (int4) AS WITH … DELETE … WHERE id = $1 …; EXECUTE s (1); EXECUTE s (2); …; DEALLOCATE s
 *
 * Where the string fails before its end, the session closes the prepared statement: no transaction undoes PREPARE, and the
 * server takes a Close in a failed transaction, too.
 *
 * Between the first and the last there are DELETEs alone. After any other statement the server has to look the names up
 * again: an INSERT or a SELECT may call a function that makes a table which hides the one that was meant.
 */
import type { Steps } from '../pace.js';
import type { Copied } from '../render/splice.js';
import { splice } from '../render/splice.js';
import { MARKER } from '../render/violations.js';
import { quoteName } from '../sql/names.js';
import type { Compared } from '../sql/statement/compared.js';
import type { DeletingStatement, Statement } from '../sql/statement/statement.js';
import { Sent } from './sent.js';
import type { Expanded, RewriteContext } from './statement/context.js';
import { expand } from './statement/expand.js';
import { locksBefore, shapeIn } from './statement/program.js';
import type { Treatment } from './statement/treatment.js';

/** The first five executions of a prepared statement are planned each (plancache.c, choose_custom_plan). */
const FEWEST = 8;
/** Each sending puts its own marker in the place of MARKER, and so has a name of its own. */
const NAME = `${MARKER}series`;

const PREPARED: Treatment = { kind: 'swallow' };
const DROPPED: Treatment = { kind: 'cleanUp' };

export interface Series {
  /** What is sent in the place of each statement that belongs to a series. */
  readonly members: ReadonlyMap<Statement, Expanded>;
  /** As Rewrite.leftPrepared. */
  readonly leftPrepared: readonly string[];
}

/** One of several statements that differ in constants alone. */
interface SeriesMember {
  readonly statement: Statement;
  /** Its own text. */
  readonly own: string;
  readonly constants: readonly Compared[];
}

/** @returns no members where the text may not prepare anything, or where no DELETE is there often enough */
export function* seriesIn(
  text: string,
  statements: readonly Statement[],
  context: RewriteContext,
): Steps<Series> {
  const members = new Map<Statement, Expanded>();
  const leftPrepared: string[] = [];
  if (statements.length < FEWEST || !context.prepares) return { members, leftPrepared };
  // DELETEs that follow each other, by their shape.
  const stretches: Map<string, SeriesMember[]>[] = [];
  let inStretch = false;
  for (const statement of statements) {
    yield;
    const own = text.slice(statement.start, statement.end);
    const [shape, constants] = shapeOf(statement, own) ?? [];
    if (!inStretch) stretches.push(new Map());
    inStretch = shape !== undefined;
    if (shape === undefined || constants === undefined) continue;
    const shapes = stretches.at(-1);
    const alike = shapes?.get(shape) ?? [];
    alike.push({ statement, own, constants });
    shapes?.set(shape, alike);
  }
  for (const alike of stretches.flatMap((each) => [...each.values()])) {
    if (alike.length < FEWEST) continue;
    const name = `${NAME}${leftPrepared.length}`;
    if (yield* prepareOnce(alike, name, context, members)) leftPrepared.push(name);
  }
  return { members, leftPrepared };
}

/**
 * Sets the members, the first with the PREPARE and the last with the DEALLOCATE.
 * @returns false, and sets none, where the DELETE is not expanded to one statement that can be prepared with parameters; nor
 * where the rows of each, or the tables below them, are locked first
 */
function* prepareOnce(
  alike: readonly SeriesMember[],
  name: string,
  context: RewriteContext,
  members: Map<Statement, Expanded>,
): Steps<boolean> {
  const [first, last] = [alike[0], alike.at(-1)];
  if (first === undefined) return false;
  const { treatments, sql, copied = [], warnings = [] } = yield* expand(first.own, first.statement, context);
  const [treatment, ...more] = treatments;
  if (
    treatment?.kind !== 'cascade' ||
    shapeIn(treatment.program).kind !== 'count' ||
    locksBefore(treatment.program)?.isFirst ||
    treatment.tableLocks !== undefined ||
    more.length > 0 ||
    sql === undefined
  )
    return false;
  const parameters = first.constants.map(({ start, end }, i) => {
    const run = copied.find(({ client, length }) => start >= client && end <= client + length);
    const shift = run && run.sent - run.client;
    return shift === undefined ? undefined : { start: start + shift, end: end + shift, sql: `$${i + 1}` };
  });
  const edits = parameters.flatMap((each) => each ?? []);
  if (edits.length < parameters.length) return false;
  const prepared = splice(sql, edits);
  const types = first.constants.map(({ type }) => `pg_catalog.${type}`).join(', ');
  for (const member of alike) {
    yield;
    const sent = new Sent();
    if (member === first) {
      sent.add(`PREPARE ${quoteName(name)} (${types}) AS `);
      sent.add(prepared.sql, joined(copied, prepared.copied));
      sent.add('\n; ');
    }
    execute(name, member, sent);
    if (member === last) sent.add(`\n; DEALLOCATE ${quoteName(name)}`);
    members.set(member.statement, {
      sql: sent.sql,
      copied: sent.copied,
      treatments: [...(member === first ? [PREPARED] : []), treatment, ...(member === last ? [DROPPED] : [])],
      warnings: member === first ? warnings : [],
    });
  }
  return true;
}

/** `EXECUTE s (1)`, with the constants as the client has written them. */
function execute(name: string, { own, constants }: SeriesMember, sent: Sent): void {
  sent.add(`EXECUTE ${quoteName(name)} (`);
  for (const { start, end } of constants) {
    if (start !== constants[0]?.start) sent.add(', ');
    sent.copy(own, start, end);
  }
  sent.add(')');
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

/**
 * @param outer the runs of the client's text in a second text
 * @param inner the runs of that second text in a third one
 * @returns the runs of the client's text in the third
 */
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
