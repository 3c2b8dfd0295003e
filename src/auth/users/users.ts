/** The users that the proxy knows, and what it answers to a name that it does not. */
import { createHmac, randomBytes } from 'node:crypto';
import { preparePassword } from '../scram/password.js';
import { makeSecret, type ScramSecret } from '../scram/secret.js';
import type { UserEntry, UserSecret } from './user-list.js';

/** What a client of this name is verified by. */
export interface User {
  readonly scram: ScramSecret;
  /** What the file has; undefined where it has no such user. Such a client is asked like any other, and fails. */
  readonly known: UserSecret | undefined;
}

/** As PostgreSQL's scram_iterations. */
const DEFAULT_ITERATIONS = 4096;
const SALT_BYTES = 16;

/** Of this process: salts of names are the same for as long as it runs, and nobody can tell which are those of users. */
const SEED = randomBytes(32);

export class Users {
  readonly #users: ReadonlyMap<string, User>;
  readonly #iterations: number;

  private constructor(users: ReadonlyMap<string, User>, iterations: number) {
    this.#users = users;
    this.#iterations = iterations;
  }

  /**
   * Derives the keys of all passwords, some milliseconds each, in threads. Were it done at a login, the time of one would tell
   * whether there is such a user.
   */
  static async of(entries: readonly UserEntry[]): Promise<Users> {
    const iterations = usualIterations(entries);
    const users = await Promise.all(
      entries.map(async ({ name, secret }) => {
        const scram =
          secret.kind === 'scram'
            ? secret.secret
            : await makeSecret(preparePassword(secret.password), saltOf(name), iterations);
        return [name, { scram, known: secret }] as const;
      }),
    );
    return new Users(new Map(users), iterations);
  }

  find(name: string): User {
    const unknown = {
      iterations: this.#iterations,
      salt: saltOf(name),
      storedKey: derived('stored key', name),
      serverKey: derived('server key', name),
    };
    return this.#users.get(name) ?? { scram: unknown, known: undefined };
  }
}

function saltOf(name: string): Buffer {
  return derived('salt', name).subarray(0, SALT_BYTES);
}

function derived(what: string, name: string): Buffer {
  return createHmac('sha256', SEED).update(`${what} ${name}`).digest();
}

/** Those that most secrets have: another number would tell the names that nobody has. */
function usualIterations(entries: readonly UserEntry[]): number {
  const counts = new Map<number, number>();
  for (const { secret } of entries)
    if (secret.kind === 'scram')
      counts.set(secret.secret.iterations, (counts.get(secret.secret.iterations) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? DEFAULT_ITERATIONS;
}
