/** Servers are tried one after the other until one is taken, as libpq does it (PQconnectPoll and connectDBComplete in fe-connect.c). */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ServersConfig } from '../config/upstream.js';
import type { ServerAddress } from './server-socket.js';

/** This server is not taken, and neither are its other addresses: the next host may be. */
export class NextHost extends Error {}

/** No server was taken. The message says of each why. */
export class NoHost extends Error {
  override readonly name = 'NoHost';
  /** Whether each of them was tried: the last one has not ended it. */
  readonly isExhausted: boolean;

  constructor(failures: readonly string[], cause: unknown, isExhausted: boolean) {
    super(failures.join('; '), { cause });
    this.isExhausted = isExhausted;
  }
}

/** @param signal ends the attempt */
export type Attempt<T> = (address: ServerAddress, signal: AbortSignal) => Promise<T>;

/** An attempt that has come to nothing. */
interface Failure {
  readonly host: string;
  readonly error: unknown;
}

/**
 * What an attempt at one of the servers gives. A server that is not reached, or not within `connectTimeout`, leads on to the next
 * address of the host, and then to the next host; so does `NextHost`. Any other error ends it: of a server that was reached and
 * refuses libpq asks no other.
 * @param signal ends it
 * @throws the error of the one attempt that there was, or NoHost with the last one as its cause
 */
export async function firstOf<T>(
  servers: Pick<ServersConfig, 'hosts' | 'connectTimeout' | 'isShuffled'>,
  signal: AbortSignal | undefined,
  attempt: Attempt<T>,
): Promise<T> {
  const { hosts, connectTimeout, isShuffled } = servers;
  const failures: Failure[] = [];
  for (const host of isShuffled ? shuffled(hosts) : hosts) {
    try {
      const addresses = await addressesOf(host);
      for (const address of isShuffled ? shuffled(addresses) : addresses) {
        const limit = new TimeLimit(connectTimeout, signal);
        try {
          return await attempt(address, limit.signal);
        } catch (error) {
          if (signal?.aborted) throw error;
          failures.push({ host: host.name, error: limit.isOver ? new Error('timeout expired') : error });
          if (error instanceof NextHost) break;
          if (!limit.isOver && !isUnreached(error)) throw failureOf(failures, false);
        } finally {
          limit.end();
        }
      }
    } catch (error) {
      if (!isUnknownName(error)) throw error;
      failures.push({ host: host.name, error });
    }
  }
  throw failureOf(failures, true);
}

/** Each address of a host's name, in the order in which the system gives them. @throws the system's error */
async function addressesOf(host: ServerAddress): Promise<readonly ServerAddress[]> {
  if (host.kind === 'unix' || isIP(host.host) !== 0) return [host];
  const found = await lookup(host.host, { all: true });
  const addresses = new Set(found.map(({ address }) => address));
  return [...addresses].map((ip) => ({ ...host, ip }));
}

/** Ends an attempt after a while, or when another signal does. */
class TimeLimit {
  readonly #end = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #outer: AbortSignal | undefined;
  readonly #abort = () => this.#end.abort();
  isOver = false;

  constructor(milliseconds: number | undefined, outer: AbortSignal | undefined) {
    this.#outer = outer;
    outer?.addEventListener('abort', this.#abort);
    if (outer?.aborted) this.#abort();
    if (milliseconds === undefined) return;
    this.#timer = setTimeout(() => {
      this.isOver = true;
      this.#abort();
    }, milliseconds);
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#abort);
  }
}

function isUnreached(error: unknown): boolean {
  return Object(error).syscall === 'connect';
}

function isUnknownName(error: unknown): boolean {
  return Object(error).syscall === 'getaddrinfo';
}

/** Where each address of one host has the same to say, it is said once. */
function failureOf(failures: readonly Failure[], isExhausted: boolean): unknown {
  const told = new Map(failures.map(({ host, error }) => [`${host}: ${reasonOf(error)}`, error]));
  const cause = failures.at(-1)?.error;
  if (told.size <= 1 && !(cause instanceof NextHost)) return cause;
  return new NoHost([...told.keys()], cause, isExhausted);
}

/** As messages say it: the system's code, or what the error says. */
export function reasonOf(error: unknown): string {
  const { code, message } = Object(error) as NodeJS.ErrnoException;
  return (error instanceof NoHost ? message : code) ?? message ?? String(error);
}

/** Fisher and Yates. */
function shuffled<T>(list: readonly T[]): readonly T[] {
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    const [one, other] = [all[i], all[j]];
    if (one !== undefined && other !== undefined) [all[i], all[j]] = [other, one];
  }
  return all;
}
