/** What is said of a broken rule, in the client's encoding. */

import { ProxyError } from '../../errors.js';
import type { Profile } from '../../profiles/profile.js';
import {
  type Doubt,
  type Marker,
  newKeyViolation,
  stillReferenced,
  type Violation,
  violation,
} from '../../render/violations.js';
import {
  type CascadeTreatment,
  type GuardTreatment,
  guardChecksOf,
} from '../../rewrite/statement/treatment.js';
import { type ErrorFields, Field } from '../../wire/backend.js';
import { inEncoding } from '../server/encoding.js';

/**
 * @returns the fields of the native error, one character for each byte; the proxy's own error where one statement
 * cannot tell what becomes of a row; undefined where the plan has no such check
 */
export function violationFields(
  treatment: CascadeTreatment | GuardTreatment,
  marker: Marker & { kind: 'check' },
  profile: Profile,
  encoding: string,
): ErrorFields | ProxyError | undefined {
  // The values come in the client's encoding already.
  const found = broken(treatment, { ...marker, values: VALUES }, profile);
  if (found === undefined) return undefined;
  if (found.kind === 'doubt') {
    const { error, key, other } = found;
    return new ProxyError(error, { table: treatment.target, key, other });
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

function broken(
  treatment: CascadeTreatment | GuardTreatment,
  marker: Marker & { kind: 'check' },
  profile: Profile,
): Violation | Doubt | undefined {
  const { checks, tables } = guardChecksOf(treatment);
  const check = checks[marker.check];
  if (check === undefined)
    return treatment.kind === 'cascade' ? violation(treatment.plan, marker, profile) : undefined;
  const { kind, key } = check;
  const table = tables.get(marker.table);
  switch (kind) {
    case 'referenced key':
      return { kind: 'doubt', error: 'PGC_GUARD_REFERENCED', key: key.name, other: '' };
    case 'old snapshot':
      return { kind: 'doubt', error: 'PGC_GUARD_SNAPSHOT', key: key.name, other: '' };
    case 'deleted key':
      return { kind: 'doubt', error: 'PGC_GUARD_DELETED', key: key.name, other: '' };
    case 'left key':
      return stillReferenced(key, key.onUpdate, table?.name, marker, profile);
    case 'new key':
    case 'mixed key': {
      const { schema, name } = table ?? key.referencing;
      return newKeyViolation({ kind, key }, { schema: schema ?? '', name }, marker.values);
    }
    default:
      return kind satisfies never;
  }
}

/** Stands for a key's values until the rest is in the client's encoding: no name has this character. */
const VALUES = '\0';
