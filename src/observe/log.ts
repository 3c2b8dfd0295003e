import pino from 'pino';
import type { Config } from '../config/schema.js';

/** What the rest of the program logs with. A child carries its fields into each line: `log.child({ client })`. */
export type Logger = pino.Logger;

/** Where lines go: a stream, of which is asked only whether it is a terminal. */
export interface LogOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Makes the program's logger. Standard output is left to what commands print.
 * `pretty` is for eyes, `json` for collectors: one object a line with level, time (ISO 8601, UTC), msg and fields.
 */
export function createLogger(config: Config['log'], output: LogOutput = process.stderr): Logger {
  const pretty = config.format === 'pretty' || (config.format === 'auto' && output.isTTY === true);
  const children = new Children();
  const log: Logger = pino(
    {
      level: config.level,
      onChild: (child) => children.add(child),
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => output.write(pretty ? prettyLine(line) : line) },
  );
  levels.set(log, children);
  return log;
}

/** The children of a logger that are still in use. Each has a level of its own, which it took over from the logger. */
class Children {
  readonly #references = new Set<WeakRef<Logger>>();
  readonly #gone = new FinalizationRegistry<WeakRef<Logger>>((reference) =>
    this.#references.delete(reference),
  );

  add(child: Logger): void {
    const reference = new WeakRef(child);
    this.#references.add(reference);
    this.#gone.register(child, reference);
  }

  *[Symbol.iterator](): Iterator<Logger> {
    for (const reference of this.#references) {
      const child = reference.deref();
      if (child) yield child;
    }
  }
}

const levels = new WeakMap<Logger, Children>();

/** Changes the level of a logger that `createLogger` has made, and of its children. */
export function setLevel(log: Logger, level: Config['log']['level']): void {
  for (const each of [log, ...(levels.get(log) ?? [])]) each.level = level;
}

/** `12:00:01 info listening on 127.0.0.1:6432 client=7`, in local time. */
function prettyLine(json: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = new Date(String(time)).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${plain(value)}`);
  return `${clock} ${level} ${plain(msg ?? '')}${rest.join('')}${errorText(err)}\n`;
}

function errorText(err: unknown): string {
  if (err === undefined) return '';
  const { stack } = Object(err) as { stack?: unknown };
  return (typeof stack === 'string' ? stack : plain(err))
    .split('\n')
    .map((line) => `\n  ${plain(line)}`)
    .join('');
}

/** Clients choose names that are logged: their control characters must not reach the terminal. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\p{Cc}/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
