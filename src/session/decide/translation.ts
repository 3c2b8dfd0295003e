/** Turns the answers to a rewritten text into those to the client's own, and tells the listeners of the session what came of it. */
import { ProxyError } from '../../errors.js';
import type { SessionEvents, TableRows } from '../../observe/session-events.js';
import type { ResultShape } from '../../render/single/render.js';
import { shapeIn } from '../../rewrite/statement/program.js';
import type { Treatment } from '../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../rewrite/text.js';
import type { News } from '../answers/news.js';
import type { Translation } from '../answers/results.js';
import type { SessionCatalog } from '../catalog/session-catalog.js';
import { encodingOf } from '../server/encoding.js';
import type { ServerState } from '../server/server-state.js';
import type { PendingPrepares } from './pending-prepares.js';
import type { SqlPrepared } from './sql-prepared.js';

/** The parts of a session that are told of answers. */
interface TranslationListeners {
  readonly catalog: SessionCatalog;
  readonly events: SessionEvents;
  readonly pendingPrepares: PendingPrepares;
  readonly state: ServerState;
}

export function translationOf(
  rewrite: Rewrite,
  inSql: SqlPrepared,
  { catalog, events, pendingPrepares, state }: TranslationListeners,
): Translation {
  const known = inSql.known(rewrite);
  let since = performance.now();
  return {
    rewrite,
    encoding: () => encodingOf(state),
    profile: state.profile,
    executing: () => pendingPrepares.begin(rewrite.treatments),
    completed: (treatment, offset) => inSql.completed(treatment, known, rewrite, offset),
    tell(news) {
      if (news.kind === 'failed') return tellFailure(news, events);
      if (news.kind === 'lost') return events.cascadeFailed(news.statement, CONNECTION_LOST, news.taken);
      const { treatment, at, counts, taken, followed } = news;
      // The time that the proxy's own statements take belongs to the client's: the server answers all of them together.
      if (!isClients(treatment)) return;
      if (treatment.kind === 'cascade')
        events.cascaded(treatment, at - since, taken ?? rowsOf(shapeIn(treatment.program), counts));
      else events.executed();
      tellFollowed(treatment, at - since, followed, events);
      since = at;
    },
    relationChanged: () => catalog.invalidateFor('settings'),
  };
}

/** connection_failure */
const CONNECTION_LOST = '08006';

function tellFailure({ error, statement, taken }: News & { kind: 'failed' }, events: SessionEvents): void {
  if (error instanceof ProxyError) events.refused(error);
  else events.failedByServer(error);
  const sqlstate = error instanceof ProxyError ? error.sqlstate : error;
  if (statement?.kind === 'cascade') events.cascadeFailed(statement, sqlstate, taken);
  if (statement?.kind === 'guarded' && statement.update) events.followFailed(statement.update, sqlstate);
}

/** Tells what ON UPDATE has changed, if anything: most statements leave keys as they are. */
function tellFollowed(
  treatment: Treatment,
  milliseconds: number,
  rows: readonly TableRows[],
  events: SessionEvents,
): void {
  const guarded = treatment.kind === 'followUp' ? treatment.guarded : treatment;
  if (guarded.kind === 'guarded' && guarded.update && rows.some((each) => each.rows > 0))
    events.followed(guarded.update, milliseconds, rows);
}

/** The rows that a statement took of each table. @param counts undefined where no row has come, so that nothing was taken */
function rowsOf(shape: ResultShape, counts: readonly number[] = []): readonly TableRows[] | undefined {
  if (shape.kind === 'as sent') return undefined;
  return shape.counted?.map((part, i) => ({ ...part, rows: counts[i] ?? 0 }));
}

/** Whether a statement stands for one of the client's, and is no addition of the proxy's. */
function isClients(treatment: Treatment): boolean {
  switch (treatment.kind) {
    case 'swallow':
    case 'cleanUp':
    case 'lock':
      return false;
    case 'prepare':
      return treatment.again === undefined;
    case 'forward':
    case 'cascade':
    case 'guarded':
    case 'followUp':
    case 'truncate':
    case 'refused':
    case 'release':
      return true;
    default:
      return treatment satisfies never;
  }
}
