import { stepTextsIn } from './retries.js';
import { cannotCarryOut } from './statement/program.js';
import type { Treatment } from './statement/treatment.js';

/** What stands against one of several statements in a query: elsewhere than in PostgreSQL they need not be one transaction. */
export const ONE_OF_SEVERAL = 'one of several statements in a query';

/**
 * Whether the statements of a string have to be sent one by one, as one of them is carried out by several.
 * @throws ProxyError PGC_FAMILY where that is one of plain statements, each of which is a query of its own
 */
export function isOneByOne(treatments: readonly Treatment[]): boolean {
  for (const treatment of treatments) {
    if (treatment.kind !== 'cascade' || treatment.program.kind !== 'plain') continue;
    throw cannotCarryOut(treatment.program, treatment.target, ONE_OF_SEVERAL);
  }
  return stepTextsIn(treatments).length > 0;
}
