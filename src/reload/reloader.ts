/** Reads the configuration again, and puts it in force as a whole or not at all. */
import { ConfigError } from '../config/problems.js';
import type { Config } from '../config/schema.js';
import type { Watch } from '../graph/cache.js';
import type { Logger } from '../observe/log.js';
import { type InForce, putInForce } from './in-force.js';
import { type Merged, merged } from './merged.js';

/** `changed` and `restart` as Merged has them; `reason` has a line for each problem. */
export type Reload =
  | ({ readonly kind: 'applied' } & Pick<Merged, 'changed' | 'restart'>)
  | { readonly kind: 'refused'; readonly reason: string };

interface ReloaderOptions {
  /** Reads the configuration as at the start. @throws ConfigError */
  readonly read: () => Config;
  /** Is told of each reload; what it takes is waited for. */
  readonly done: (reload: Reload) => Promise<void>;
  /** What tells of changes of the schema, where a configuration wants that. */
  readonly watch: (config: Config) => Promise<Watch | undefined>;
  readonly log: Logger;
}

export class Reloader {
  readonly #options: ReloaderOptions;
  #current: InForce;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  private constructor(first: InForce, options: ReloaderOptions) {
    this.#current = first;
    this.#options = options;
  }

  /** @throws as putInForce */
  static async start(config: Config, options: ReloaderOptions): Promise<Reloader> {
    return new Reloader(await putInForce(config, options), options);
  }

  /** What is in force now: asked for each time that it is needed. */
  get current(): InForce {
    return this.#current;
  }

  /** No reload begins any more. Fulfilled when the one that goes on is over: what it opens has to be closed. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#last;
  }

  /** One after the other, so that the last one asked for is the last one applied. Never rejects. */
  reload(): Promise<Reload> {
    const next = this.#last.then(() => this.#reload());
    this.#last = next;
    return next;
  }

  async #reload(): Promise<Reload> {
    const { done, log } = this.#options;
    const reload = await this.#apply().catch((error: unknown): Reload => {
      // An error that is not the configuration's may be one of the program: its stack helps to find the cause.
      if (!(error instanceof ConfigError))
        log.error({ err: error }, 'the configuration could not be applied');
      return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
    });
    if (reload.kind === 'refused')
      log.error(`the configuration is refused, and nothing changes: ${reload.reason}`);
    else log.info(reload, said(reload));
    await done(reload);
    return reload;
  }

  async #apply(): Promise<Reload> {
    if (this.#isOver) return { kind: 'refused', reason: 'pgcascade is shutting down' };
    const { read, ...rest } = this.#options;
    const { config, changed, restart } = merged(this.#current.config, read());
    this.#current = await putInForce(config, { ...rest, before: this.#current });
    return { kind: 'applied', changed, restart };
  }
}

function said({ changed, restart }: Pick<Merged, 'changed' | 'restart'>): string {
  const what = changed.length > 0 ? `changed: ${changed.join(', ')}` : 'no key has changed';
  const later = restart.length > 0 ? `; only a restart changes ${restart.join(', ')}` : '';
  return `the configuration, certificates and users are read again: ${what}${later}`;
}
