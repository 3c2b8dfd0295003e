import { ProxyError } from '../../errors.js';
import { type Family, serverOf } from '../../profiles/families/family.js';

/**
 * PGC_FAMILY: a cascade that is not sent to servers of a family.
 * @param table what the client deletes from
 * @param what why not: the end of the error's message
 */
export function refusedBy(family: Family, table: string, what: string): ProxyError {
  return new ProxyError('PGC_FAMILY', { table, server: serverOf(family), what });
}
