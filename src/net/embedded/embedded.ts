import type { Upstream, UpstreamHost } from '../upstream.js';
import { EmbeddedConnection } from './connection.js';
import { SharedSession } from './shared-session.js';

/** Its one host is itself. */
export type EmbeddedDatabase = Upstream & UpstreamHost;

/**
 * Starts PGlite, PostgreSQL 18 in WebAssembly, in memory and with the sample schema of sample.sql: one database, whatever
 * user and database a client names, without a password. Clients use its one session in turns; the limits of that are in
 * shared-session.ts, settings.ts, statements.ts and copy.ts. After a crash the next `start` begins a new one.
 * @throws where PGlite does not start
 */
export async function openEmbedded(): Promise<EmbeddedDatabase> {
  let opening = SharedSession.open();
  let closed = false;
  await opening;

  const connect = async () => {
    const tried = opening;
    const usable = await tried.then(
      (session) => !session.ended,
      () => false,
    );
    if (!usable && !closed && opening === tried) opening = SharedSession.open();
    const session = await opening;
    if (closed) throw Object.assign(new Error('the embedded database is closed'), { code: 'ECONNREFUSED' });
    return new EmbeddedConnection(session);
  };

  const host = { name: 'embedded', connect };
  return {
    ...host,
    hosts: [host],
    async start(startup) {
      const connection = await connect();
      connection.write(startup);
      return { connection, host };
    },
    async close() {
      closed = true;
      await opening.then(
        (session) => session.close(),
        () => {}, // it never started
      );
    },
  };
}
