/** What is said of a broken rule, in the client's encoding. */

import { ProxyError } from '../../errors.js';
import type { Profile } from '../../profiles/profile.js';
import { type Marker, violation } from '../../render/violations.js';
import type { Treatment } from '../../rewrite/statement/treatment.js';
import { type ErrorFields, Field } from '../../wire/backend.js';
import { inEncoding } from '../server/encoding.js';

/**
 * @returns the fields of the native error, one character for each byte; the proxy's own error where one statement
 * cannot tell what becomes of a row; undefined where the plan has no such check
 */
export function violationFields(
  { plan, target }: Treatment & { kind: 'cascade' },
  marker: Marker & { kind: 'check' },
  profile: Profile,
  encoding: string,
): ErrorFields | ProxyError | undefined {
  // The values come in the client's encoding already.
  const found = violation(plan, { ...marker, values: VALUES }, profile);
  if (found === undefined) return undefined;
  if (found.kind === 'doubt') {
    const { error, key, other } = found;
    return new ProxyError(error, { table: target, key, other });
  }
  const { code, message, detail, schema, table, column, constraint } = found;
  const fields = inEncoding(
    new Map([
      [Field.severity, 'ERROR'],
      [Field.severityNonLocalized, 'ERROR'],
      [Field.code, code],
      [Field.message, message],
      [Field.detail, detail],
      [Field.schema, schema],
      [Field.table, table],
      ...(column === undefined ? [] : [[Field.column, column] as const]),
      ...(constraint === undefined ? [] : [[Field.constraint, constraint] as const]),
    ]),
    encoding,
  );
  return new Map([...fields].map(([code, value]) => [code, value.replace(VALUES, () => marker.values)]));
}

/** Stands for a key's values until the rest is in the client's encoding: no name has this character. */
const VALUES = '\0';
