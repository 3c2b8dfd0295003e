/** What EXECUTE of a prepared statement runs, and what it would run if it were prepared now. Pure. */
import type { Steps } from '../pace.js';
import type { Spliced } from '../render/splice.js';
import type { RelationName } from '../sql/names.js';
import type { Statement } from '../sql/statement/statement.js';
import { limited } from './statement/at-limit.js';
import type { RewriteContext } from './statement/context.js';
import { expand } from './statement/expand.js';
import { changed } from './statement/program.js';
import {
  atLimitOf,
  type Executable,
  type PreparedSource,
  type Replanned,
  type Treatment,
} from './statement/treatment.js';

/** The statements of the texts of prepared statements, by the text; undefined for one that is not PostgreSQL's SQL. */
export type PreparedTexts = ReadonlyMap<string, readonly Statement[] | undefined>;

/** What a statement was prepared as. */
interface Prepared extends Spliced {
  /** The client's text. */
  readonly text: string;
  /** As PreparedSource.origin; undefined where it is a text of its own. */
  readonly origin?: PreparedSource['origin'] | undefined;
  readonly marker?: string | undefined;
  readonly targets: readonly RelationName[];
  readonly treatments: readonly Treatment[];
}

const FORWARD: Treatment = { kind: 'forward' };

/** @param check throws where the client's text no longer means what it meant when it was prepared */
export function executableOf(
  { text, sql, copied, origin = { client: 0, sent: 0 }, marker, targets, treatments }: Prepared,
  texts: PreparedTexts,
  context: RewriteContext,
  check: () => void,
): Executable {
  const [treatment = FORWARD] = treatments;
  function* replan(): Steps<Replanned> {
    check();
    const [statement] = texts.get(text) ?? [];
    if (statement === undefined) return { sql: text, treatment: FORWARD, error: undefined };
    const own = text.slice(statement.start, statement.end);
    // An EXECUTE may come where it cannot be sent again: what is prepared never fails on suspicion.
    // Alone, as it was parsed: what has to come after it comes after the EXECUTE.
    const now = yield* expand(own, statement, { ...context, retries: false, inString: false });
    return { sql: now.sql ?? text, treatment: now.treatments[0] ?? FORWARD, error: now.error };
  }
  return {
    targets,
    sql,
    executeTreatment: executedAs(treatment, marker),
    source: { text, sql, copied, origin },
    replan,
  };
}

function executedAs(prepared: Treatment, marker: string | undefined): Treatment {
  const treatment = atLimitOf(prepared)
    ? limited(prepared, { kind: 'none', what: 'EXECUTE in SQL' })
    : prepared;
  // The locks of what the protocol has prepared have parameters, for which an EXECUTE has no Bind.
  if (treatment.kind === 'cascade')
    return { ...treatment, marker, program: changed(treatment.program, { locks: undefined }) };
  return treatment.kind === 'guarded' ? { ...treatment, marker } : treatment;
}
