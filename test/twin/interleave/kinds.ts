/** Finds what kind a difference is, by its cause. Only the first one of an interleaving counts: what comes later follows from it. */
import { withoutRow } from '../referenced-rows.js';
import type { Kind } from './kind.js';
import { isAfterLocks, isDeadlockThroughLocks, isSentAgain } from './locked.js';
import type { Answer, Trace } from './lockstep.js';
import { areFreedTogether, isOtherOrder } from './other-order.js';
import {
  alike,
  answersOf,
  has,
  isSame,
  type Parting,
  partingOf,
  snapshotOf,
  waitsDiffer,
} from './parting.js';
import type { Operation, Schema } from './scenario.js';
import type { Trials } from './trials.js';

export async function kindOf(trace: Trace, trials: Trials): Promise<Kind> {
  if (isSame(trace)) return trace.turns.some(waitsDiffer) ? 'waited elsewhere' : 'same';
  const parting = partingOf(trace);
  if (await doesVary(trace, parting, trials)) return 'the server varies';
  if (parting && hasOtherVictim(trace, parting)) return 'another victim';
  if (parting && isRuleAtOnce(parting, trials)) return 'rule at once';
  if (parting && isRuleInSnapshot(trace, parting, trials)) return 'rule in the snapshot';
  if (parting && isRefusedInSnapshot(parting, trials)) return 'refused in the snapshot';
  if (parting && isChangedSince(trace, parting, trials)) return 'changed since';
  if (parting && isSince(trace, parting, trials, 'delete')) return 'written since';
  if (parting && isSince(trace, parting, trials, 'write')) return 'referenced since';
  if (parting && (await isSentAgain(trace, parting, trials))) return 'sent again';
  if (parting && (await isOtherRow(parting, trials))) return 'another row';
  if (parting && isDeadlockThroughLocks(trace, parting, trials)) return 'deadlock through locks';
  if (await isAfterLocks(trace, parting, trials)) return 'after the locks';
  if (trace.orphans.length > 0 && (await isUnenforced(trace, parting, trials))) return 'nobody enforces';
  if (parting && isOtherOrder(trace, parting, trials)) return 'locks in another order';
  if (await isUnenforced(trace, parting, trials)) return 'nobody enforces';
  if (parting && areFreedTogether(trace, parting)) return 'the server varies';
  return 'unknown';
}

/** The native answers are others the next time, or both sides' are the same where no DELETE made the difference. */
async function doesVary(trace: Trace, parting: Parting | undefined, { again }: Trials): Promise<boolean> {
  const order = trace.turns.map(({ client }) => client);
  for (let times = 0; times < 3; times++) {
    const next = await again(order);
    if (!alike(answersOf(next, 'native'), answersOf(trace, 'native'))) return true;
    if (isSame(next) && parting?.turn.step.operation?.kind !== 'delete') return true;
  }
  return false;
}

/** Of the waits that made a circle the server ended another one. */
function hasOtherVictim({ turns }: Trace, { at }: Parting): boolean {
  const victim = (side: 'native' | 'proxied') =>
    turns.some((turn) => turn[side]?.at === at && has(turn[side]?.answer, 'E C=40P01'));
  return victim('native') && victim('proxied');
}

/** The number of the table whose rows break a rule, as an answer says. */
function referencing(answer: Answer | undefined): number | undefined {
  const broken = /^E C=23(?:503|001) .*referenced from table .* t=t(\d)$/m.exec(answer?.join('\n') ?? '');
  return broken ? Number(broken[1]) : undefined;
}

/** Of a DELETE; or of an UPDATE of what is referenced, where the proxy looks at that. */
function isRuleAtOnce({ turn }: Parting, { guarded }: Trials): boolean {
  const { native, proxied, step } = turn;
  const sooner = (proxied?.at ?? Infinity) < (native?.at ?? Infinity);
  const kind = step.operation?.kind;
  const leaves = kind === 'delete' || (guarded && kind === 'rename');
  return leaves && sooner && referencing(proxied?.answer) !== undefined;
}

/** Both name the same rule, of another row, and natively the same one where all rows are found in the order of their table. */
async function isOtherRow({ turn, index }: Parting, { inTableOrder }: Trials): Promise<boolean> {
  const { native, proxied, step } = turn;
  if (step.operation?.kind !== 'delete' || native?.at !== proxied?.at) return false;
  const [one, other] = [native, proxied].map((each) => each?.answer ?? []) as [Answer, Answer];
  if (!has(one, 'E C=23') || !alike(one.map(withoutRow), other.map(withoutRow))) return false;
  const again = (await inTableOrder()).turns[index];
  return again?.client === turn.client && alike(again.native?.answer ?? [], other);
}

/** One of the sides says that rows are still referenced, and another transaction has changed those of that table. */
function isRuleInSnapshot(trace: Trace, { turn, index, at }: Parting, trials: Trials): boolean {
  if (turn.step.operation?.kind !== 'delete') return false;
  const changed = changes(trace, turn.client, snapshotOf(trace, index, trials), at, trials);
  return [turn.proxied, turn.native].some((each) => {
    const table = referencing(each?.answer);
    return table !== undefined && changed.has(table);
  });
}

/** A row of another id is refused, as who references it cannot be seen. */
function isRefusedInSnapshot({ turn }: Parting, { guarded, keepsSnapshot }: Trials): boolean {
  const isRenamed = guarded && keepsSnapshot && turn.step.operation?.kind === 'rename';
  return isRenamed && has(turn.proxied?.answer, 'E C=0A000');
}

/** It ends with 40001 on one side, in a transaction whose snapshot another one's changes have left behind. */
function isChangedSince(trace: Trace, { turn, index, at }: Parting, trials: Trials): boolean {
  if (!trials.keepsSnapshot || turn.step.operation?.kind !== 'delete') return false;
  const fails = has(turn.proxied?.answer, 'E C=40001');
  const failsOtherwise = has(turn.native?.answer, 'E C=40001') && has(turn.proxied?.answer, 'E ');
  if (!fails && !failsOtherwise) return false;
  return changes(trace, turn.client, snapshotOf(trace, index, trials), at, trials).size > 0;
}

/**
 * With locks first and new keys that are looked at: what natively ends with 40001, as a child came after the snapshot, or goes
 * through, as a row that is referenced did.
 */
function isSince(
  trace: Trace,
  { turn, index, at }: Parting,
  trials: Trials,
  of: 'delete' | 'write',
): boolean {
  const { native, proxied, step } = turn;
  const isDelete = step.operation?.kind === 'delete';
  const differs = isDelete
    ? has(native?.answer, 'E C=40001') && has(proxied?.answer, 'C DELETE')
    : !has(native?.answer, 'E ') && has(proxied?.answer, 'E C=23503');
  if (!trials.guarded || isDelete !== (of === 'delete') || !differs) return false;
  if (isDelete && !trials.keepsSnapshot) return false;
  return changes(trace, turn.client, snapshotOf(trace, index, trials), at, trials).size > 0;
}

/**
 * A child was written: it was not refused or did not wait, nobody waited for who wrote it, natively it came after a
 * snapshot, or such children are all that is left or seen.
 * And with keys that the server enforces all comes as natively, or in a known way.
 */
async function isUnenforced(
  trace: Trace,
  parting: Parting | undefined,
  { enforced, schema }: Trials,
): Promise<boolean> {
  const written = trace.turns
    .slice(0, parting?.at)
    .flatMap(({ step: { operation } }) => writes(operation, schema));
  if (enforced === undefined || written.length === 0) return false;
  const { native, proxied, step } = parting?.turn ?? {};
  const waitsLess = (proxied?.at ?? 0) < (native?.at ?? 0);
  const rows = [
    ...without(trace.left.proxied, trace.left.native),
    ...without(proxied?.answer ?? [], native?.answer ?? [])
      .filter((each) => each.startsWith('D ('))
      .map((each) => each.replace('D ', `t${(step?.operation?.table ?? 0) % schema.tables.length}|`)),
  ];
  const isWritten = (row: string) => written.some((each) => row.startsWith(each));
  // The DELETE that left an orphan went through, and so does what its transaction changes after it.
  const follows = parting && trace.orphans.length > 0 ? touchedAfter(trace, parting, schema) : [];
  const isExplained = (row: string) => isWritten(row) || follows.some((each) => row.startsWith(each));
  const comesSince = has(native?.answer, 'E C=40001');
  const told =
    writes(step?.operation, schema).length > 0 || waitsLess || comesSince || rows.every(isExplained);
  return told && (await enforced()) !== 'unknown';
}

/** How the row begins, in words, to which an operation gives a parent; or whose id others reference. */
function writes(operation: Operation | undefined, { tables }: Schema): readonly string[] {
  if (operation?.kind !== 'insert' && operation?.kind !== 'move' && operation?.kind !== 'rename') return [];
  return [
    `t${operation.table % tables.length}|(${operation.kind === 'rename' ? operation.to : operation.id},`,
  ];
}

/** How the rows begin, in words, that the client whose turn went another way changes after it. */
function touchedAfter({ turns }: Trace, { turn, index }: Parting, { tables }: Schema): readonly string[] {
  return turns.slice(index).flatMap(({ client, step: { operation } }) => {
    if (client !== turn.client || operation?.kind !== 'touch') return [];
    return [`t${operation.table % tables.length}|(${operation.id},`];
  });
}

function without(rows: Answer, others: Answer): Answer {
  return rows.filter((row) => !others.includes(row));
}

/**
 * The tables that others have changed in ways that turn `from` did not see, as they were not committed yet, and that were
 * made before so many turns.
 */
function changes(
  { turns }: Trace,
  client: number,
  from: number,
  at: number,
  { schema }: Trials,
): ReadonlySet<number> {
  const tables = turns.flatMap(({ step: { operation }, client: other, native, proxied }, index) => {
    if (other === client || !operation || index >= at) return [];
    const answers = [native, proxied].flatMap((each) => each?.answer ?? []);
    if (!answers.some((answer) => /^C (?:DELETE|UPDATE|MERGE|INSERT 0) [1-9]/.test(answer))) return [];
    const end = turns.find(
      (turn, i) => i >= index && turn.client === other && !has(turn.native?.answer, 'Z T'),
    );
    return (end?.native?.at ?? 0) > from ? changedBy(operation, schema) : [];
  });
  return new Set(tables);
}

/** The table, and for a DELETE those that it cascades to. */
function changedBy({ kind, table }: Operation, { tables, keys }: Schema): readonly number[] {
  const changed = new Set([table % tables.length]);
  if (kind === 'delete')
    for (const each of changed) for (const { from, to } of keys) if (to === each) changed.add(from);
  return [...changed];
}
