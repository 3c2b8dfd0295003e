import type { SessionEvents } from '../../observe/session-events.js';
import type { SessionPolicy } from '../policy/policy.js';

interface DatabaseWarningsOptions {
  /** Names the database among all databases behind this proxy. */
  readonly database: string;
  readonly policy: SessionPolicy;
  readonly events: Pick<SessionEvents, 'warned'>;
}

/** Warnings about one database. Each is told once under one policy, by the first session that has it. */
export class DatabaseWarnings {
  readonly #options: DatabaseWarningsOptions;

  constructor(options: DatabaseWarningsOptions) {
    this.#options = options;
  }

  warn(text: string): void {
    const { database, policy, events } = this.#options;
    if (policy.graphs.isNews(database, text)) events.warned(`${database}: ${text}`);
  }
}
