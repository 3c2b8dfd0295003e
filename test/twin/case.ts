/** A schema and the statements that are tried on it. */
import fc from 'fast-check';
import { once } from './arbitraries.js';
import { makeSchema } from './keys.js';
import type { Schema } from './schema.js';
import { type SchemaSpec, schemaForBatches, schemaSpec } from './schema-spec.js';
import type { Kind } from './schema-sql.js';
import { type StatementSpec, statementForBatches, statementSpec } from './statement-spec.js';
import { isWrite, type WriteSpec, writeSpec } from './writes/write-spec.js';

/** A statement that deletes, or one that writes. */
export type Statement = StatementSpec | WriteSpec;

/**
 * Which are generated: with `writes` also of columns that keys reference, or only of others; with `batches` such as are carried out
 * in batches more often than not.
 */
export type Statements = 'deletes' | 'deletes in batches' | 'writes' | 'writes of new keys';

export interface Case {
  /** For the twin with enforced NO ACTION keys that overrides turn into actions. */
  readonly overridden: boolean;
  /** For the twin whose keys the server enforces and performs too: the proxy has to be before it. */
  readonly enforced: boolean;
  readonly schema: SchemaSpec;
  readonly statements: readonly Statement[];
}

/** @param statements how many each schema is tried with: at least and at most */
export function cases(
  [minLength, maxLength]: readonly [number, number],
  which: Statements = 'deletes',
): fc.Arbitrary<Case> {
  const inBatches = which === 'deletes in batches';
  return fc.record({
    overridden: once(4),
    enforced: inBatches ? once(4) : fc.constant(false),
    schema: inBatches ? schemaForBatches : schemaSpec(which !== 'deletes'),
    statements: fc.array(statementOf(which), { minLength, maxLength, size: 'max' }),
  });
}

function statementOf(which: Statements): fc.Arbitrary<Statement> {
  switch (which) {
    case 'deletes':
      return statementSpec;
    case 'deletes in batches':
      return statementForBatches;
    case 'writes':
    case 'writes of new keys':
      return writeSpec(which === 'writes');
  }
}

/** How the twin that the proxy stands before has its keys. */
export function kindOf({ enforced, overridden }: Case): Kind {
  return enforced ? 'native' : overridden ? 'overridden' : 'emulated';
}

/** The schema as the case's statements need it. */
export function schemaOf(given: Case): Schema {
  const { schema, statements } = given;
  return makeSchema(schema, kindOf(given) === 'overridden', statements.some(isWrite));
}
