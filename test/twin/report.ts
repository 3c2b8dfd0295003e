/** A difference for people: a script of schema and rows, the statement, and both answers. */
import { type Case, kindOf, schemaOf } from './case.js';
import { programOf } from './program.js';
import type { Run } from './run.js';
import { createSql, fillSql, type Kind } from './schema-sql.js';

export interface Difference {
  readonly given: Case;
  readonly native: Run;
  readonly proxied: Run;
}

const KEYS: Readonly<Record<Kind, string>> = {
  native: 'the same keys',
  emulated: 'NOT ENFORCED keys',
  overridden: 'enforced NO ACTION keys with overrides',
};

export function reproduction({ given, native, proxied }: Difference): string {
  const schema = schemaOf(given);
  const [statement] = given.statements;
  if (!statement) return '';
  const kind = kindOf(given);
  const steps = programOf(schema, statement, kind);
  const lines: string[] = [
    `-- ${KEYS[kind]}; natively as declared, enforced`,
    ...createSql(schema, kind).map((sql) => `${sql};`),
    `${fillSql(schema)};`,
  ];
  steps.forEach(({ shown }, i) => {
    lines.push('', shown);
    const [one, other] = [native.answers[i] ?? [], proxied.answers[i] ?? []];
    if (one.join() === other.join()) lines.push(...one.map((each) => `  = ${each}`));
    else lines.push(...one.map((each) => `  native: ${each}`), ...other.map((each) => `  proxy:  ${each}`));
  });
  const [left, right] = [new Set(native.left), new Set(proxied.left)];
  lines.push(
    '',
    ...native.left.filter((row) => !right.has(row)).map((row) => `  left natively only: ${row}`),
    ...proxied.left.filter((row) => !left.has(row)).map((row) => `  left by the proxy only: ${row}`),
  );
  return lines.join('\n');
}
