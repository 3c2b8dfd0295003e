/** A schema and the statements that are tried on it. */
import fc from 'fast-check';
import { once } from './arbitraries.js';
import { makeSchema } from './keys.js';
import type { Schema } from './schema.js';
import { type SchemaSpec, schemaSpec } from './schema-spec.js';
import { type StatementSpec, statementSpec } from './statement-spec.js';
import { isWrite, type WriteSpec, writeSpec } from './writes/write-spec.js';

/** A statement that deletes, or one that writes. */
export type Statement = StatementSpec | WriteSpec;

/** Which are generated: with `writes` also of columns that keys reference, or only of others. */
export type Statements = 'deletes' | 'writes' | 'writes of new keys';

export interface Case {
  /** For the twin with enforced NO ACTION keys that overrides turn into actions. */
  readonly overridden: boolean;
  readonly schema: SchemaSpec;
  readonly statements: readonly Statement[];
}

/** @param statements how many each schema is tried with: at least and at most */
export function cases(
  [minLength, maxLength]: readonly [number, number],
  which: Statements = 'deletes',
): fc.Arbitrary<Case> {
  const statement: fc.Arbitrary<Statement> =
    which === 'deletes' ? statementSpec : writeSpec(which === 'writes');
  return fc.record({
    overridden: once(4),
    schema: schemaSpec(which !== 'deletes'),
    statements: fc.array(statement, { minLength, maxLength, size: 'max' }),
  });
}

/** The schema as the case's statements need it. */
export function schemaOf({ schema, overridden, statements }: Case): Schema {
  return makeSchema(schema, overridden, statements.some(isWrite));
}
