/** An interleaving for people: the schema, the rows, and what each client did and was told, in order. */
import type { Found } from './interleave.js';
import type { Turn } from './lockstep.js';
import { createSql, fillSql } from './scenario-sql.js';

export function reproduction({ keys, schema, trace }: Found): string {
  const { turns, left, orphans, parted } = trace;
  const lines = [
    `-- ${keys === 'overridden' ? 'enforced NO ACTION keys with overrides' : 'NOT ENFORCED keys'}; natively as declared, enforced:`,
    `${createSql(schema, 'native')};`,
    `${fillSql(schema)};`,
    '',
    ...turns.flatMap((turn, i) => [
      ...(parted === i ? ['-- from here on other clients wait on each side'] : []),
      `${i + 1}. ${'ABC'[turn.client]}: ${turn.step.shown}`,
      ...answers(turn, i + 1),
    ]),
    '',
    ...missing('natively only', left.native, left.proxied),
    ...missing('by the proxy only', left.proxied, left.native),
    ...orphans.map((row) => `  orphan: ${row}`),
  ];
  return lines.join('\n');
}

function answers({ native, proxied }: Turn, own: number): readonly string[] {
  const shown = ({ answer, at }: NonNullable<Turn['native']>) =>
    `${answer.join('; ')}${at > own ? ` (waited for ${at})` : ''}`;
  const [one, other] = [native, proxied].map((each) => (each ? shown(each) : 'no answer'));
  return one === other ? [`     = ${one}`] : [`     native: ${one}`, `     proxy:  ${other}`];
}

function missing(who: string, rows: readonly string[], others: readonly string[]): readonly string[] {
  return rows.filter((row) => !others.includes(row)).map((row) => `  left ${who}: ${row}`);
}
