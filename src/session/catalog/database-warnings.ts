import type { GraphCache } from '../../graph/cache.js';
import type { SessionEvents } from '../../observe/session-events.js';

/** Warnings about one database. Each is told once, whichever session comes upon it. */
export class DatabaseWarnings {
  readonly #database: string;
  readonly #graphs: Pick<GraphCache, 'isNews'>;
  readonly #events: Pick<SessionEvents, 'warned'>;

  /** @param database names it among all databases behind this proxy */
  constructor(database: string, graphs: Pick<GraphCache, 'isNews'>, events: Pick<SessionEvents, 'warned'>) {
    this.#database = database;
    this.#graphs = graphs;
    this.#events = events;
  }

  warn(text: string): void {
    if (this.#graphs.isNews(this.#database, text)) this.#events.warned(`${this.#database}: ${text}`);
  }
}
