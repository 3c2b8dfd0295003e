/** What a client does for one generated statement, step by step. The same on both sides, but for how keys are declared. */
import type { Statement } from './case.js';
import { textsOf } from './forms.js';
import { inManner, type Step, simple } from './protocol.js';
import type { Schema } from './schema.js';
import { contentsSql, type Kind } from './schema-sql.js';
import type { Sending, StatementSpec } from './statement-spec.js';
import { standingAlone, writeTextsOf } from './writes/write-forms.js';
import { isWrite } from './writes/write-spec.js';

/** All of one length, so that positions in errors are the same. */
const KEYS: Readonly<Record<Kind, string>> = {
  native: 'ON DELETE CASCADE       ENFORCED',
  emulated: 'ON DELETE CASCADE   NOT ENFORCED',
  overridden: 'ON DELETE NO ACTION     ENFORCED',
};

/** What is checked at COMMIT is checked with the statement where it is a transaction of its own. */
const ALONE: ReadonlySet<StatementSpec['form']> = new Set([
  'delete',
  'in a with',
  'two in a with',
  'with and main',
  'merge',
  'merge by source',
]);

function alone(spec: Statement): Statement {
  if (isWrite(spec)) return standingAlone(spec);
  const form = ALONE.has(spec.form) ? spec.form : 'delete';
  return { ...spec, form, manner: 'simple', transaction: 'none' };
}

/** What is sent of a statement. */
export function asSent({ late }: Schema, given: Statement): Statement {
  return late ? alone(given) : given;
}

export function programOf(schema: Schema, given: Statement, kind: Kind): readonly Step[] {
  const spec = asSent(schema, given);
  const texts = isWrite(spec) ? writeTextsOf(schema, spec) : textsOf(schema, spec);
  const contents = simple(contentsSql(schema));
  if (texts.kind === 'texts') {
    const steps = texts.texts.map((text) => simple(text.replace('KEYS', KEYS[kind])));
    return texts.whole ? steps : inTransaction(steps, spec.transaction, contents);
  }
  if (texts.kind === 'steps') return inTransaction(texts.steps, spec.transaction, contents);
  const { statements, opaque } = texts;
  const steps = inManner(
    statements,
    literalOnly(statements) && opaque ? { ...spec, manner: 'simple' } : spec,
  );
  return inTransaction(
    opaque ? steps.map((step) => ({ ...step, opaque: true })) : steps,
    spec.transaction,
    contents,
  );
}

function literalOnly(statements: readonly { readonly parameters: readonly unknown[] }[]): boolean {
  return statements.every(({ parameters }) => parameters.length === 0);
}

function inTransaction(
  steps: readonly Step[],
  transaction: Sending['transaction'],
  contents: Step,
): readonly Step[] {
  switch (transaction) {
    case 'none':
      return steps;
    case 'commit':
      return [simple('BEGIN'), ...steps, contents, simple('COMMIT')];
    case 'rollback':
      return [simple('BEGIN'), ...steps, contents, simple('ROLLBACK')];
    case 'savepoint':
      return [
        simple('BEGIN'),
        simple('SAVEPOINT s'),
        ...steps,
        contents,
        simple('ROLLBACK TO s'),
        contents,
        ...steps,
        simple('COMMIT'),
      ];
  }
}
