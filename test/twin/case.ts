/** A schema and the statements that are tried on it. */
import fc from 'fast-check';
import { once } from './arbitraries.js';
import { type SchemaSpec, schemaSpec } from './schema-spec.js';
import { type StatementSpec, statementSpec } from './statement-spec.js';

export interface Case {
  /** For the twin with enforced NO ACTION keys that overrides turn into actions. */
  readonly overridden: boolean;
  readonly schema: SchemaSpec;
  readonly statements: readonly StatementSpec[];
}

/** @param statements how many each schema is tried with: at least and at most */
export function cases([minLength, maxLength]: readonly [number, number]): fc.Arbitrary<Case> {
  return fc.record({
    overridden: once(4),
    schema: schemaSpec,
    statements: fc.array(statementSpec, { minLength, maxLength, size: 'max' }),
  });
}
