/** What plain statements a plan becomes, where the rows that they find are known: each statement has the keys of those before it. */
import type { Plan } from '../../src/plan/plan.js';
import { FoundRows } from '../../src/render/plain/found-rows.js';
import type { PlainSequence } from '../../src/render/plain/sequence.js';
import {
  askRules,
  changeRows,
  collect,
  countOrphans,
  deleteBelow,
  deleteRoots,
  type PlainContext,
  sweep,
} from '../../src/render/plain/statements.js';

/** The rows that are found of each table, by its name: the client's own, and those below. A row has the literals of its held columns. */
export type Found = Readonly<Record<string, readonly (readonly string[])[]>>;

/** Sections of a golden file: what is sent together, but for `found below`, which goes out level by level. */
export function plainSections(
  { family, roots }: PlainSequence,
  plan: Plan,
  found: Found,
): readonly [string, string][] {
  const rows = new FoundRows(plan);
  const [client] = plan.deletions;
  for (const { relation } of plan.deletions)
    for (const row of found[relation.name] ?? [])
      rows.add(relation, row, relation === client?.relation ? 'client' : 'key');
  const { lock, plain, transport } = family;
  const context: PlainContext = { plan, rows, plain, transport, locks: lock === 'FOR UPDATE' };
  const asked = (questions: readonly { readonly sql: string }[]) => questions.map(({ sql }) => sql);
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['plain: the rows of the client', [roots.sql]],
    ['plain: keys that reference nothing, before and after', asked(countOrphans(plan))],
    ['plain: the rows below', asked(collect(undefined, context))],
    ['plain: the rules', asked(askRules(context))],
    ['plain: what stays is changed', asked(changeRows(context))],
    ['plain: the rows below are deleted', asked(deleteBelow(context))],
    ["plain: the client's own are deleted", asked(deleteRoots(context))],
    ['plain: whether rows have come meanwhile', sweep(context)],
  ];
  return sections.flatMap(([name, texts]) =>
    texts.length > 0 ? [[name, texts.map((sql) => sql.trim()).join('\n;\n')]] : [],
  );
}
