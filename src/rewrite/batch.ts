/**
 * A string of one DELETE many times, which differs in constants. The server takes longer to plan an expanded statement than
 * to execute it, so it is prepared in the same string:
 *
 *     SET LOCAL jit = off; PREPARE b (int4) AS WITH … DELETE … WHERE id = $1 …; EXECUTE b (1); EXECUTE b (2); …; DEALLOCATE b
 *
 * What fails before the end leaves the statement behind: no transaction undoes PREPARE.
 */

import type { Steps } from '../pace.js';
import type { Copied } from '../render/splice.js';
import { splice } from '../render/splice.js';
import { MARKER } from '../render/violations.js';
import { quoteName } from '../sql/names.js';
import type { Compared } from '../sql/statement/compared.js';
import { type DeletingStatement, type Statement, targetsOf } from '../sql/statement/statement.js';
import type { Means } from './context.js';
import { expandedSettings } from './own-settings.js';
import type { Part } from './reply-rule.js';
import { expand } from './statement.js';
import type { Rewrite } from './text.js';

/** The first five executions of a prepared statement are planned each (plancache.c, choose_custom_plan). */
const FEWEST = 8;
/** Another one with each sending, as the marker is. */
const NAME = `${MARKER}batch`;

const SWALLOWED: Part = { kind: 'swallow' };

/** @returns undefined where it is none, or what can be prepared is not all that has to be done */
export function* batch(
  text: string,
  statements: readonly Statement[],
  means: Means,
): Steps<Rewrite | undefined> {
  const [first] = statements;
  if (first === undefined || statements.length < FEWEST || !means.alone) return undefined;
  const own = ({ at, behind }: Statement) => text.slice(at, behind);
  const [shape] = shapeOf(first, own(first)) ?? [];
  if (shape === undefined) return undefined;
  const values: (readonly Compared[])[] = [];
  for (const statement of statements) {
    const [each, constants] = shapeOf(statement, own(statement)) ?? [];
    if (each !== shape || constants === undefined) return undefined;
    values.push(constants);
    yield;
  }
  const { parts, sql, copied = [], warnings = [] } = yield* expand(own(first), first, means);
  const [part, ...more] = parts;
  if (part?.kind !== 'cascade' || part.answers.kind !== 'count' || more.length > 0 || sql === undefined)
    return undefined;
  const parameters = (values[0] ?? []).map(({ start, end }, i) => {
    const run = copied.find(({ client, length }) => start >= client && end <= client + length);
    const moved = run && run.sent - run.client;
    return moved === undefined ? undefined : { start: start + moved, end: end + moved, sql: `$${i + 1}` };
  });
  const edits = parameters.flatMap((each) => each ?? []);
  if (edits.length < parameters.length) return undefined;
  const prepared = splice(sql, edits);
  const made = new Sent();
  const settings = expandedSettings(means.version)?.alone ?? [];
  for (const setting of settings) made.add(`${setting}\n; `);
  const types = (values[0] ?? []).map(({ type }) => `pg_catalog.${type}`).join(', ');
  made.add(`PREPARE ${quoteName(NAME)} (${types}) AS `);
  made.add(prepared.sql, joined(copied, prepared.copied, first.at));
  for (const [i, statement] of statements.entries()) {
    yield;
    const [opening, ...others] = values[i] ?? [];
    made.add(`\n; EXECUTE ${quoteName(NAME)} (`);
    for (const constant of opening ? [opening, ...others] : []) {
      if (constant !== opening) made.add(', ');
      const { start, end } = constant;
      made.add(own(statement).slice(start, end), [
        { client: statement.at + start, sent: 0, length: end - start },
      ]);
    }
    made.add(')');
  }
  made.add(`\n; DEALLOCATE ${quoteName(NAME)}`);
  return {
    text,
    sql: made.sql,
    parts: [...settings.map(() => SWALLOWED), SWALLOWED, ...statements.map(() => part), SWALLOWED],
    copied: made.copied,
    changed: true,
    targets: statements.flatMap(targetsOf),
    passed: [],
    warnings,
    leaves: NAME,
  };
}

/** The text without its constants, but with their types; and the constants. */
function shapeOf(
  { meaning }: Statement,
  own: string,
): readonly [string, DeletingStatement['compared']] | undefined {
  if (meaning.kind !== 'deleting' || meaning.compared.length === 0) return undefined;
  const edits = meaning.compared.map(({ type, ...place }) => ({ ...place, sql: `\0${type}` }));
  return [splice(own, edits).sql, meaning.compared];
}

/** Runs of the client's text in a text, and of that text in another one: those of the client's in the other one. */
function joined(outer: readonly Copied[], inner: readonly Copied[], at: number): readonly Copied[] {
  return inner.flatMap((run) =>
    outer.flatMap((each): readonly Copied[] => {
      const start = Math.max(run.client, each.sent);
      const end = Math.min(run.client + run.length, each.sent + each.length);
      if (end <= start) return [];
      const client = at + each.client + start - each.sent;
      return [{ client, sent: run.sent + start - run.client, length: end - start }];
    }),
  );
}

/** What is sent, in the making. */
class Sent {
  readonly #pieces: string[] = [];
  readonly copied: Copied[] = [];
  #length = 0;

  get sql(): string {
    return this.#pieces.join('');
  }

  add(sql: string, copied: readonly Copied[] = []): void {
    for (const run of copied) this.copied.push({ ...run, sent: this.#length + run.sent });
    this.#pieces.push(sql);
    this.#length += sql.length;
  }
}
