/** What is said of a broken rule, in the client's encoding. */
import type { Plan } from '../plan/plan.js';
import { type Marker, violation } from '../plan/violations.js';
import { type ErrorFields, Field } from '../wire/backend.js';
import { inEncoding } from './encoding.js';

/**
 * @returns the fields of the native error, one character for each byte; undefined where the plan has no such check
 */
export function violationFields(
  plan: Plan,
  marker: Marker & { kind: 'check' },
  serverVersion: number,
  encoding: string,
): ErrorFields | undefined {
  // The values come in the client's encoding already.
  const found = violation(plan, { ...marker, values: VALUES }, serverVersion);
  if (found === undefined) return undefined;
  const fields = inEncoding(
    new Map([
      [Field.severity, 'ERROR'],
      [Field.severityNonLocalized, 'ERROR'],
      [Field.code, found.code],
      [Field.message, found.message],
      [Field.detail, found.detail],
      [Field.schema, found.schema],
      [Field.table, found.table],
      [Field.constraint, found.constraint],
    ]),
    encoding,
  );
  return new Map([...fields].map(([code, value]) => [code, value.replace(VALUES, () => marker.values)]));
}

/** Stands for a key's values until the rest is in the client's encoding: no name has this character. */
const VALUES = '\0';
