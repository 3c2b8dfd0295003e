import { ProxyError } from '../errors.js';
import { serverOf } from '../render/plain/sequence.js';
import { sequencesIn } from './retries.js';
import type { Treatment } from './statement/treatment.js';

/** What stands against one of several statements in a query: elsewhere than in PostgreSQL they need not be one transaction. */
export const ONE_OF_SEVERAL = 'one of several statements in a query';

/**
 * Whether the statements of a string have to be sent one by one, as one of them is carried out by a sequence.
 * @throws ProxyError PGC_FAMILY where that is one of plain statements, each of which is a query by itself
 */
export function isOneByOne(treatments: readonly Treatment[]): boolean {
  for (const treatment of treatments) {
    if (treatment.kind !== 'cascade' || treatment.program.kind !== 'plain') continue;
    const server = serverOf(treatment.program.sequence.family);
    throw new ProxyError('PGC_FAMILY', { table: treatment.target, server, what: ONE_OF_SEVERAL });
  }
  return sequencesIn(treatments).length > 0;
}
