/** How an expanded statement is carried out: made with its plan, and what the session's Executor chooses its way by. */
import type { Locks } from '../../render/single/locks.js';
import type { ResultShape } from '../../render/single/render.js';

export type Program = SingleProgram;

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

/** What the answers to the statement in the text look like. */
export function shapeIn(program: Program): ResultShape {
  switch (program.kind) {
    case 'single':
      return program.shape;
  }
}

/** Whether the statement fails on mere suspicion that a rule is broken. */
export function suspects(program: Program): boolean {
  switch (program.kind) {
    case 'single':
      return program.suspecting;
  }
}

/** What locks the rows before the statement, in executions of its own. */
export function locksBefore(program: Program): Locks | undefined {
  switch (program.kind) {
    case 'single':
      return program.locks;
  }
}

/** The same program in another place, where its answers look otherwise or something else locks. */
export function changed(program: Program, to: Partial<Pick<SingleProgram, 'shape' | 'locks'>>): Program {
  switch (program.kind) {
    case 'single':
      return { ...program, ...to };
  }
}
