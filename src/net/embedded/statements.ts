import { createHash } from 'node:crypto';
import { Backend, Frontend } from '../../wire/types.js';
import { message, SYNC } from './bytes.js';
import type { Reply } from './reply.js';
import type { SharedSession } from './shared-session.js';

/** Longer names are cut by the server (NAMEDATALEN - 1). */
const LONGEST_NAME = 63;

let clients = 0;

/**
 * The prepared statements of one client. All clients share one session, so the names of each client's statements get a
 * prefix; the unnamed statement stays unnamed. Where another client, or DEALLOCATE ALL, has dropped a statement, its Parse
 * is run again before the statement is used.
 *
 * A name that the client did not Parse is left as it is, as it may be that of an SQL PREPARE. A limit: EXECUTE and
 * DEALLOCATE in SQL do not find a statement that was made by a Parse. Portals need no prefix: a portal ends with the
 * transaction, and a transaction is one turn.
 */
export class Statements {
  readonly #prefix = `c${++clients}/`;
  /** The Parse of each statement, by the client's name in latin1. */
  readonly #parsed = new Map<string, Buffer>();

  /** Runs a Parse in the client's turn. @throws EngineStopped */
  async parse(original: Buffer, session: SharedSession): Promise<Reply> {
    const { name, changed } = this.#rename(original, 5, () => true);
    const server = this.#serverName(name);
    const reply = await session.run(changed);
    if (reply.types.has(Backend.ParseComplete)) {
      // A copy: the bytes may be part of a large read.
      const parse = Buffer.from(changed);
      this.#parsed.set(name, parse);
      session.prepared.set(server, parse);
    } else if (name === '' && reply.error) {
      // A Parse of the unnamed statement drops the one before, also when it fails.
      this.#parsed.delete('');
      session.prepared.delete('');
    }
    return reply;
  }

  /** Runs a Bind, Describe or Close, in the client's turn. @throws EngineStopped */
  async use(original: Buffer, session: SharedSession): Promise<Reply> {
    const type = original[0];
    const ofPortal = type !== Frontend.Bind && original[5] === 0x50;
    if (ofPortal) return session.run(original);
    // A Bind names its portal first. A Bind whose portal name does not end is malformed, and the server refuses it.
    const at = type === Frontend.Bind ? original.indexOf(0, 5) + 1 : 6;
    if (at === 0) return session.run(original);
    const { name, changed } = this.#rename(original, at, (it) => this.#parsed.has(it));
    if (type === Frontend.Close) {
      const reply = await session.run(changed);
      if (!reply.types.has(Backend.CloseComplete)) return reply; // skipped, after an error in the pipeline
      this.#parsed.delete(name);
      session.prepared.delete(this.#serverName(name));
      return reply;
    }
    const failed = await this.#provide(name, session);
    return failed ?? session.run(changed);
  }

  /** A simple query drops the unnamed statement. */
  forgetUnnamed(): void {
    this.#parsed.delete('');
  }

  /** The client has dropped all of its named statements: DEALLOCATE ALL spares the unnamed one. */
  forgetNamed(): void {
    for (const name of this.#parsed.keys()) if (name !== '') this.#parsed.delete(name);
  }

  /** Closes the statements that the client has not closed. @throws EngineStopped */
  async close(session: SharedSession): Promise<void> {
    const left = [...this.#parsed.keys()].map((name) => this.#serverName(name));
    const closes = left.filter((name) => session.prepared.delete(name)).map(closeStatement);
    if (closes.length > 0) await session.run(Buffer.concat([...closes, SYNC]));
  }

  /** Makes sure that the shared session has this client's statement of that name. @returns the server's refusal, if any */
  async #provide(name: string, session: SharedSession): Promise<Reply | undefined> {
    const server = this.#serverName(name);
    const own = this.#parsed.get(name);
    if (session.prepared.get(server) === own) return undefined;
    if (!own) {
      await session.run(closeStatement(server)); // another client's unnamed one
      session.prepared.delete(server);
      return undefined;
    }
    const reply = await session.run(own);
    if (!reply.types.has(Backend.ParseComplete)) return reply.error && reply;
    session.prepared.set(server, own);
    return undefined;
  }

  /** The name at `at`, and the message with the server's name in its place if it is to be changed. */
  #rename(
    original: Buffer,
    at: number,
    wanted: (name: string) => boolean,
  ): { name: string; changed: Buffer } {
    const end = original.indexOf(0, at);
    if (end < 0) return { name: '', changed: original };
    const name = original.toString('latin1', at, Math.min(end, at + LONGEST_NAME));
    if (name === '' || !wanted(name)) return { name, changed: original };
    const server = Buffer.from(this.#serverName(name), 'latin1');
    const type = String.fromCharCode(original[0] ?? 0);
    return { name, changed: message(type, original.subarray(5, at), server, original.subarray(end)) };
  }

  #serverName(name: string): string {
    if (name === '') return '';
    const long = this.#prefix + name;
    if (long.length <= LONGEST_NAME) return long;
    return this.#prefix + createHash('md5').update(name, 'latin1').digest('hex');
  }
}

function closeStatement(server: string): Buffer {
  return message('C', Buffer.from(`S${server}\0`, 'latin1'));
}
