import { type Pages, plain } from './server.js';

/**
 * What probes ask about: the proxy alone, not the database. Were readiness tied to the database, a database that is down
 * would take every instance out of service, and clients would no longer get the clear error of the proxy.
 */
export interface AdminState {
  /** Whether the start is over. */
  started(): boolean;
  /** Whether a new client would be served: listening, not draining, not full. The reason says which. */
  ready(): { readonly ok: boolean; readonly reason: string };
}

/** /startup, /liveness and /readiness: 200 or 503, with the reason as text. */
export function probes(state: AdminState): Pages {
  const started = () => ({ ok: state.started(), reason: state.started() ? 'started' : 'starting' });
  const answers = {
    '/startup': started,
    // A process that answers is alive.
    '/liveness': () => ({ ok: true, reason: 'alive' }),
    '/readiness': () => (state.started() ? state.ready() : started()),
  };
  return new Map(
    Object.entries(answers).map(([path, ask]) => [
      path,
      () => {
        const { ok, reason } = ask();
        return plain(ok ? 200 : 503, reason);
      },
    ]),
  );
}
