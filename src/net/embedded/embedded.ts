import type { Upstream } from '../upstream.js';
import { Backend } from './backend.js';
import { Session } from './session.js';

/**
 * Starts PGlite, PostgreSQL 18 in WebAssembly, in memory and with the sample schema of sample.sql: one database, whatever
 * user and database a client names, without a password. Clients share its one session by turns; what that cannot hide is
 * said in backend.ts, settings.ts, statements.ts and copy.ts. After a crash the next `connect` starts a new one.
 * @throws where PGlite does not start
 */
export async function openEmbedded(): Promise<Upstream> {
  let opening = Backend.open();
  let closed = false;
  await opening;

  return {
    name: 'embedded',
    async connect() {
      const tried = opening;
      const usable = await tried.then(
        (backend) => !backend.ended,
        () => false,
      );
      if (!usable && !closed && opening === tried) opening = Backend.open();
      const backend = await opening;
      if (closed) throw Object.assign(new Error('the embedded database is closed'), { code: 'ECONNREFUSED' });
      return new Session(backend);
    },
    async close() {
      closed = true;
      await opening.then(
        (backend) => backend.close(),
        () => {}, // it never started
      );
    },
  };
}
