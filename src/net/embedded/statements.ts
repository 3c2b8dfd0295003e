import { createHash } from 'node:crypto';
import { Backend as Answer, Frontend } from '../../wire/types.js';
import type { Backend } from './backend.js';
import { message, SYNC } from './bytes.js';
import type { Reply } from './reply.js';

/** Longer names are cut by the server (NAMEDATALEN - 1). */
const LONGEST_NAME = 63;

let clients = 0;

/**
 * The prepared statements of one client. Its names get a prefix, because all clients share one session; only the unnamed
 * statement has no other name to give it. Where another client, or DEALLOCATE ALL, has taken a statement away, it is
 * parsed again before it is used.
 *
 * A name that the client did not Parse is left as it is: SQL's PREPARE makes statements too. The other way round is a
 * limit: EXECUTE and DEALLOCATE of a name, in SQL, do not find what was parsed by the protocol. Portals need nothing of
 * this: they end with the transaction, and a transaction is one turn.
 */
export class Statements {
  readonly #prefix = `c${++clients}/`;
  /** The Parse of each, by the client's name, bytes as latin1. */
  readonly #parsed = new Map<string, Buffer>();

  /** Runs a Parse in the client's turn. @throws EngineStopped */
  async parse(original: Buffer, backend: Backend): Promise<Reply> {
    const { name, changed } = this.#rename(original, 5, () => true);
    const server = this.#serverName(name);
    const reply = await backend.run(changed);
    if (reply.types.has(Answer.ParseComplete)) {
      // A copy: the bytes may be part of a large read.
      const parse = Buffer.from(changed);
      this.#parsed.set(name, parse);
      backend.prepared.set(server, parse);
    } else if (name === '' && reply.error) {
      // A Parse of the unnamed statement drops the one before, also when it fails.
      this.#parsed.delete('');
      backend.prepared.delete('');
    }
    return reply;
  }

  /** Runs a Bind, Describe or Close, in the client's turn. @throws EngineStopped */
  async use(original: Buffer, backend: Backend): Promise<Reply> {
    const type = original[0];
    const ofPortal = type !== Frontend.Bind && original[5] === 0x50;
    if (ofPortal) return backend.run(original);
    // A Bind names its portal first. Without an end of that it is malformed: for the server to say so.
    const at = type === Frontend.Bind ? original.indexOf(0, 5) + 1 : 6;
    if (at === 0) return backend.run(original);
    const { name, changed } = this.#rename(original, at, (it) => this.#parsed.has(it));
    if (type === Frontend.Close) {
      const reply = await backend.run(changed);
      if (!reply.types.has(Answer.CloseComplete)) return reply; // skipped, after an error in the pipeline
      this.#parsed.delete(name);
      backend.prepared.delete(this.#serverName(name));
      return reply;
    }
    const failed = await this.#provide(name, backend);
    return failed ?? backend.run(changed);
  }

  /** A simple query drops the unnamed statement. */
  forgetUnnamed(): void {
    this.#parsed.delete('');
  }

  /** The client itself has dropped them all; DEALLOCATE ALL spares the unnamed one. */
  forgetNamed(): void {
    for (const name of this.#parsed.keys()) if (name !== '') this.#parsed.delete(name);
  }

  /** Closes what the client leaves behind. @throws EngineStopped */
  async close(backend: Backend): Promise<void> {
    const left = [...this.#parsed.keys()].map((name) => this.#serverName(name));
    const closes = left.filter((name) => backend.prepared.delete(name)).map(closeStatement);
    if (closes.length > 0) await backend.run(Buffer.concat([...closes, SYNC]));
  }

  /** Makes the backend hold this client's statement of that name. @returns what to answer where it cannot */
  async #provide(name: string, backend: Backend): Promise<Reply | undefined> {
    const server = this.#serverName(name);
    const own = this.#parsed.get(name);
    if (backend.prepared.get(server) === own) return undefined;
    if (!own) {
      await backend.run(closeStatement(server)); // another client's unnamed one
      backend.prepared.delete(server);
      return undefined;
    }
    const reply = await backend.run(own);
    if (!reply.types.has(Answer.ParseComplete)) return reply.error && reply;
    backend.prepared.set(server, own);
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
