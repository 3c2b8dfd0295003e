/**
 * Carries out the client's statement by plain statements, in a transaction of the proxy's or in the client's, until it has ended for good.
 * The client gets the answer that its own statement would have had, which is made here.
 */
import { ProxyError } from '../../../errors.js';
import type { Family } from '../../../profiles/families/family.js';
import { refusedBy } from '../../../render/plain/refusal.js';
import { FAIL_ANYWHERE } from '../../../render/violations.js';
import { MOST_ATTEMPTS, SAVEPOINT } from '../../../rewrite/retries.js';
import { inPlaceOf, type Rewrite } from '../../../rewrite/text.js';
import { type ErrorFields, errorResponse, Field } from '../../../wire/backend.js';
import { whole, write } from '../../../wire/frontend.js';
import type { Message } from '../../../wire/reader.js';
import { Backend, TransactionStatus } from '../../../wire/types.js';
import { HeldAnswers } from '../../answers/held-answers.js';
import { ownAnswer } from '../../answers/own-answer.js';
import { proxyFailure, translateError } from '../../answers/server-errors.js';
import { passes } from '../../server/error-classes.js';
import { proxyErrorFields } from '../../server/farewell.js';
import type { AnsweredMessage, Verdict } from '../../server/outstanding-replies.js';
import { REPEATED, SCRATCH } from '../../server/own-statements.js';
import { PlainRun } from './plain-run.js';
import { PlainSender } from './plain-sender.js';
import type { PlainParts, PlainStatement } from './plain-statement.js';
import { Stopped } from './stopped.js';

/** The statements before and after those of a run. */
interface Frame {
  readonly begin: readonly string[];
  /** The client gets its answer with that to the last of these. */
  readonly end: readonly string[];
  /** Undo a run that has failed; none where nothing undoes it, or only the end of the client's transaction. */
  readonly undo: readonly string[];
  /** The run is in a transaction of the proxy's own, so that it may be retried. */
  readonly isOwn: boolean;
}

/** @returns a promise that is fulfilled when the client has its answer. @throws ProxyError for what ends the session */
export async function executePlain(statement: PlainStatement, parts: PlainParts): Promise<void> {
  if (!parts.replies.settled && !(await new PlainSender(parts.server, parts.replies).settled())) return;
  const { family } = statement.program.sequence;
  const translation = parts.decider.translation(statement.rewrite);
  const isIdle = parts.state.status === TransactionStatus.Idle;
  const frame = frameOf(family, isIdle);
  const problem =
    (isIdle ? undefined : inTransactionObstacle(statement)) ?? defaultObstacle(frame, statement);
  if (problem) return fail(new Stopped(problem), statement, parts);
  for (let attempt = 1; ; attempt++) {
    // The client gets no notices of a run that is retried.
    const notices = new HeldAnswers(frame.isOwn && attempt < MOST_ATTEMPTS);
    const sender = new PlainSender(parts.server, parts.replies, notices);
    const run = new PlainRun(statement, parts, sender);
    const onReady = (message: Message) => {
      const answer = ownAnswer(statement.cascade, run, translation);
      return notices.end(statement.message === 'Query' ? Buffer.concat([answer, whole(message)]) : answer);
    };
    try {
      await runInFrame(run, frame, sender, onReady);
      if (statement.restore) restore(statement.restore, parts);
      return;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      if (error.error === undefined) {
        if (cannotUndo(run, family))
          translation.tell({ kind: 'lost', statement: statement.cascade, taken: run.taken });
        return;
      }
      await undo(frame, run, family, sender);
      const isOver = !notices.isHolding || !mayRetry(error.error, family);
      if (isOver) return fail(withChangedRows(error, run, family), statement, parts, notices);
      parts.events.retried('othersConflict');
    }
  }
}

function frameOf({ transactions }: Family, isIdle: boolean): Frame {
  // Such a server may say in ReadyForQuery that a transaction is open, and has none.
  if (transactions.kind === 'none') return { begin: [], end: ['SELECT 1'], undo: [], isOwn: false };
  if (isIdle) return { begin: ['BEGIN'], end: ['COMMIT'], undo: ['ROLLBACK'], isOwn: true };
  if (transactions.kind === 'without savepoints')
    return { begin: [], end: ['SELECT 1'], undo: [], isOwn: false };
  const release = `RELEASE SAVEPOINT ${SAVEPOINT}`;
  const undo = [`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`, release];
  return { begin: [`SAVEPOINT ${SAVEPOINT}`], end: [release], undo, isOwn: false };
}

/** In a transaction of the client's, refuses a plan with a key for which each statement has to be a transaction of its own. */
function inTransactionObstacle({ cascade, program }: PlainStatement): ProxyError | undefined {
  const { separatingKey, family } = program.sequence;
  const what = `it enforces ${separatingKey}, by which it cannot be done in a transaction`;
  return separatingKey === undefined ? undefined : refusedBy(family, cascade.target, what);
}

/** Refuses SET DEFAULT where only the end of the client's transaction could undo it: whether the new key references a row is known only after the UPDATE. */
function defaultObstacle(
  { isOwn, undo }: Frame,
  { cascade, program }: PlainStatement,
): ProxyError | undefined {
  const { family } = program.sequence;
  const key = cascade.plan.checks.find(({ kind }) => kind === 'new key')?.key;
  if (isOwn || undo.length > 0 || family.transactions.endWithErrors || !key) return undefined;
  const what = `${key.name} is SET DEFAULT, and it has no savepoints: not in a transaction of the client's`;
  return refusedBy(family, cascade.target, what);
}

/** Executes a run between the statements of its frame. @param onReady gives what the client gets at the end @throws Stopped */
async function runInFrame(
  run: PlainRun,
  { begin, end }: Frame,
  sender: PlainSender,
  onReady: (message: Message) => Verdict,
): Promise<void> {
  const begun = begin.map((sql) => sender.query(sql));
  const done = run.run();
  // Nothing is thrown before BEGIN or SAVEPOINT and the run have both ended. The error of BEGIN or SAVEPOINT is thrown first, as it is the cause.
  const [ended] = await Promise.allSettled([done]);
  for (const reply of await Promise.all(begun)) if (reply.kind === 'failed') throw new Stopped(reply.error);
  if (ended.status === 'rejected') throw ended.reason;
  for (const [i, sql] of end.entries()) {
    const reply = await sender.query(sql, i === end.length - 1 ? { onReady } : {});
    if (reply.kind === 'lost') throw new Stopped();
    if (reply.kind === 'failed') throw new Stopped(reply.error);
  }
}

/** Prepares the client's unnamed statement again, which a simple query has dropped (protocol-flow.html#PROTOCOL-FLOW-SIMPLE-QUERY). */
function restore(parse: Buffer, { replies, server }: PlainParts): void {
  server.write(parse);
  replies.expect('Parse', {
    receive: ({ type }) => (type === Backend.ErrorResponse ? 'forward' : 'swallow'),
  });
}

/** Undoes a run. @throws ProxyError PGC_FAMILY_OPEN where rows were changed that only the end of the session undoes */
async function undo(
  { isOwn, undo }: Frame,
  run: PlainRun,
  family: Family,
  sender: PlainSender,
): Promise<void> {
  for (const sql of undo) await sender.query(sql);
  const { endWithErrors, kind } = family.transactions;
  const isLeft = !isOwn && undo.length === 0 && kind !== 'none' && run.changed !== undefined;
  if (isLeft && !endWithErrors) throw new ProxyError('PGC_FAMILY_OPEN', {});
}

function mayRetry(error: ErrorFields | ProxyError, family: Family): boolean {
  return !(error instanceof ProxyError) && passes(error, family);
}

/** Whether rows were changed, and no transaction undoes that. */
function cannotUndo({ changed = 0 }: PlainRun, { transactions }: Family): boolean {
  return transactions.kind === 'none' && changed > 0;
}

/** Adds to the error, where there was no transaction, how many rows were changed or deleted before it. */
function withChangedRows(stopped: Stopped, run: PlainRun, family: Family): Stopped {
  const { error, isOfText } = stopped;
  const { changed, taken } = run;
  if (error === undefined || !cannotUndo(run, family)) return stopped;
  const fields = error instanceof ProxyError ? proxyErrorFields(error) : error;
  const detail = [fields.get(Field.detail) ?? [], `${changed} rows were deleted or changed before.`]
    .flat()
    .join(' ');
  const hint =
    'No row is left that references one that is gone: the same statement again goes on from there.';
  return new Stopped(new Map([...fields, [Field.detail, detail], [Field.hint, hint]]), isOfText, taken);
}

/** Sends a text that the server refuses in place of the statement, so that the client's transaction fails as by the statement itself. */
function fail(
  stopped: Stopped,
  statement: PlainStatement,
  parts: PlainParts,
  notices = new HeldAnswers(false),
): Promise<void> | undefined {
  return sendFailure(notices.end(errorOf(stopped, statement, parts)), statement.message, parts);
}

/** Refuses an Execute. */
export function refusePortal(error: ProxyError, rewrite: Rewrite, parts: PlainParts): undefined {
  void sendFailure(proxyFailure(error, undefined, parts.decider.translation(rewrite)), 'Execute', parts);
}

/**
 * @param error the ErrorResponse that the client gets in place of the server's
 * @param message the message of the client's that it answers
 * @returns a promise that is fulfilled when a Query is answered
 */
function sendFailure(
  error: Buffer,
  message: PlainStatement['message'],
  { replies, server }: Pick<PlainParts, 'replies' | 'server'>,
): Promise<void> | undefined {
  const receive = ({ type }: Message): Verdict => {
    if (type === Backend.ErrorResponse) return error;
    return type === Backend.ReadyForQuery ? 'forward' : 'swallow';
  };
  if (message === 'Query')
    return new Promise((resolve) => {
      server.write(write.query(FAIL_ANYWHERE));
      const end = (answer: Message) => {
        if (answer.type === Backend.ReadyForQuery) resolve();
        return receive(answer);
      };
      replies.expect('Query', { receive: end, skipped: resolve });
      server.flush();
    });
  // Some servers refuse the text only when they execute it.
  server.write(
    Buffer.concat([
      write.close('S', SCRATCH),
      write.parse(SCRATCH, FAIL_ANYWHERE),
      write.bind(REPEATED, SCRATCH),
      write.execute(REPEATED),
      write.flush(),
    ]),
  );
  const answered: readonly AnsweredMessage[] = ['Close', 'Parse', 'Bind', 'Execute'];
  for (const to of answered) replies.expect(to, { receive });
  server.flush();
  return undefined;
}

function errorOf(
  { error, isOfText, taken }: Stopped,
  statement: PlainStatement,
  { decider }: PlainParts,
): Buffer {
  const { cascade, program, rewrite } = statement;
  const made = decider.translation(rewrite);
  const tell: typeof made.tell = (news) => made.tell(news.kind === 'failed' ? { ...news, taken } : news);
  const translation = { ...made, tell };
  if (error instanceof ProxyError || error === undefined)
    return proxyFailure(error ?? new ProxyError('PGC_INTERNAL'), cascade, translation);
  if (!isOfText) {
    translation.tell({ kind: 'failed', error: error.get(Field.code) ?? '', statement: cascade });
    return errorResponse(new Map([...error].filter(([field]) => field !== Field.position)), 'latin1');
  }
  const buffer = errorResponse(error, 'latin1');
  const message: Message = { type: Backend.ErrorResponse, buffer, start: 0, end: buffer.length, last: true };
  const told = translateError(message, cascade, {
    ...translation,
    rewrite: inPlaceOf(rewrite, program.sequence.roots),
  });
  return told instanceof Buffer ? told : buffer;
}
