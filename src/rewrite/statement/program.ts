/** How an expanded statement is carried out: made with its plan, and what the session's Executor chooses its way by. */
import { ProxyError } from '../../errors.js';
import type { Sequence } from '../../render/ordered/sequence.js';
import type { Pages } from '../../render/paged/pages.js';
import { refusedBy } from '../../render/plain/refusal.js';
import type { PlainSequence } from '../../render/plain/sequence.js';
import type { Locks } from '../../render/single/locks.js';
import type { ResultShape } from '../../render/single/render.js';

/** The answer is that of what the client's statement stands in: EXPLAIN, COPY; or of the client's statement itself. */
export const AS_SENT: ResultShape = { kind: 'as sent' };

export type Program = SingleProgram | OrderedProgram | PagedProgram | PlainProgram;

/** By one statement, which stands in the place of the client's in the text that is sent. It is sent as often as it takes. */
export interface SingleProgram {
  readonly kind: 'single';
  /** What its answers look like. */
  readonly shape: ResultShape;
  /** It fails where a rule may be broken, and is then sent again to find out whether one is. */
  readonly suspecting: boolean;
  /** Locks the rows that it deletes; undefined where no other transaction can get in its way, or no SELECT finds the rows. */
  readonly locks: Locks | undefined;
}

/**
 * By a sequence of statements. The client's own stands in the text that is sent, where it is prepared and described under the
 * client's name; it is never executed.
 */
export interface OrderedProgram {
  readonly kind: 'ordered';
  readonly sequence: Sequence;
}

/** By transactions of a limited number of rows, one after the other. The client's own statement is as with OrderedProgram. */
export interface PagedProgram {
  readonly kind: 'paged';
  readonly pages: Pages;
  /** A page that reaches a limit of the server's is tried again with half as many rows. */
  readonly shrinks: boolean;
}

/** By a sequence of plain statements, each of which has its keys as literals: it is sent when those are known. */
export interface PlainProgram {
  readonly kind: 'plain';
  readonly sequence: PlainSequence;
}

/** The refusal of what several statements cannot carry out. @param what stands against it */
export function cannotCarryOut(
  program: Exclude<Program, SingleProgram>,
  table: string,
  what: string,
): ProxyError {
  switch (program.kind) {
    case 'plain':
      return refusedBy(program.sequence.family, table, what);
    case 'paged':
      return new ProxyError('PGC_BATCH', { table, what });
    case 'ordered':
      return new ProxyError('PGC_ORDERED', { table, what });
  }
}

/** What the answers to the statement in the text look like. */
export function shapeIn(program: Program): ResultShape {
  switch (program.kind) {
    case 'single':
      return program.shape;
    case 'ordered':
    case 'paged':
    case 'plain':
      return AS_SENT;
  }
}

/** Whether the statement fails on mere suspicion that a rule is broken. */
export function suspects(program: Program): boolean {
  switch (program.kind) {
    case 'single':
      return program.suspecting;
    case 'ordered':
    case 'paged':
    case 'plain':
      return false;
  }
}

/** What locks the rows before the statement, in executions of its own. */
export function locksBefore(program: Program): Locks | undefined {
  switch (program.kind) {
    case 'single':
      return program.locks;
    case 'ordered':
    case 'paged':
    case 'plain':
      return undefined;
  }
}

/** The same program in another place, where its answers look otherwise or something else locks. */
export function changed(program: Program, to: Partial<Pick<SingleProgram, 'shape' | 'locks'>>): Program {
  switch (program.kind) {
    case 'single':
      return { ...program, ...to };
    case 'ordered':
    case 'paged':
    case 'plain':
      return program;
  }
}
