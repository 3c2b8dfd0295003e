/** Two PostgreSQLs, with TLS and without, the files of their clients, and a proxy for each way in which the rows want one. */
import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { type App, startApp } from '../../src/app.js';
import { parseAddress } from '../../src/config/address.js';
import { configSchema } from '../../src/config/schema.js';
import { createLogger } from '../../src/observe/log.js';
import { createTlsFolder, type TlsFolder } from '../support/client-tls.js';
import { type Server, startPostgres } from '../support/postgres.js';
import type { Target } from './connection-strings.js';
import { METHODS, type Method, type Peer, type Row, type Setting } from './rows.js';

/** Databases stand for what a server does about TLS: `pg_hba.conf` tells them apart. */
const HBA = `
local all all trust
${['offers', 'demands', 'misnamed', 'without']
  .flatMap((database) => {
    const type = database === 'demands' || database === 'misnamed' ? 'hostssl' : 'host';
    return [
      `${type} ${database} by_password all password`,
      `${type} ${database} by_md5 all md5`,
      `${type} ${database} by_scram,by_plus all scram-sha-256`,
    ];
  })
  .join('\n')}
`;
const PASSWORD = 'Correct-Horse';

export function userOf(method: Method): string {
  return `by_${method}`;
}

export interface Stage {
  /** What the client of a row is told. Starts a proxy, where there is none yet that is so. */
  target(row: Row): Promise<Target>;
  stop(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const folder = await createTlsFolder();
  // By its address it has another name.
  const { cert, key } = await folder.authority.server([{ type: 'dns', value: 'localhost' }]);
  const files = { 'server.crt': cert, 'server.key': key };
  const [encrypting, plain] = await Promise.all([
    startPostgres({ config: { ssl: 'on' }, files: { ...files, 'pg_hba.conf': HBA } }),
    startPostgres({ files: { 'pg_hba.conf': HBA } }),
  ]);
  const secret = await createUsers(encrypting, ['offers', 'demands', 'misnamed']);
  await createUsers(plain, ['without'], secret);
  await writeFiles(folder, secret);
  const proxies = new Map<string, Promise<App>>();
  const serverOf = (peer: Peer) => (peer === 'without' ? plain : encrypting);
  const proxyOf = (setting: Setting) => {
    const { front, auth, upstream, server } = setting;
    const key = [front, auth, upstream, serverOf(server).port, server === 'misnamed'].join();
    const started = proxies.get(key) ?? startProxy(folder, setting, serverOf(server));
    proxies.set(key, started);
    return started;
  };
  return {
    async target(row) {
      const port = row.auth === 'none' ? serverOf(row.server).port : portOf(await proxyOf(row));
      const user = userOf(row.method);
      return {
        ...{ port, user, database: row.server, password: PASSWORD, sslmode: row.sslmode },
        root: folder.rootPath,
        certificate: row.auth === 'cert' ? join(folder.rootPath, '..', user) : undefined,
      };
    },
    async stop() {
      for (const proxy of proxies.values()) await (await proxy).drain();
      await Promise.all([encrypting.stop('immediate'), plain.stop('immediate')]);
      folder.remove();
    },
  };
}

function portOf({ addresses }: App): number {
  return parseAddress(addresses[0] ?? '').port;
}

/** @returns the SCRAM secret of by_scram, which all servers have to have in common */
async function createUsers(server: Server, databases: readonly string[], secret = PASSWORD): Promise<string> {
  const { socketDir: host, port, user } = server;
  const client = new pg.Client({ host, port, user, database: 'postgres' });
  await client.connect();
  for (const database of databases) await client.query(`CREATE DATABASE ${database}`);
  for (const method of METHODS)
    await client.query(
      `SET password_encryption = ${method === 'md5' ? `'md5'` : `'scram-sha-256'`};
       CREATE ROLE ${userOf(method)} LOGIN PASSWORD '${method === 'scram' ? secret : PASSWORD}'`,
    );
  const { rows } = await client.query(`SELECT rolpassword FROM pg_authid WHERE rolname = 'by_scram'`);
  await client.end();
  return String(rows[0]?.rolpassword);
}

async function writeFiles(folder: TlsFolder, secret: string): Promise<void> {
  const elsewhere = await folder.authority.server([{ type: 'dns', value: 'elsewhere' }]);
  folder.put('elsewhere.crt', elsewhere.cert);
  folder.put('elsewhere.key', elsewhere.key);
  const file = (scram: string) =>
    METHODS.map((method) => `"${userOf(method)}" "${method === 'scram' ? scram : PASSWORD}"\n`).join('');
  folder.put('proxy.users', file(secret));
  folder.put('cert.users', file(PASSWORD));
  for (const user of METHODS.map(userOf)) {
    const { cert, key } = await folder.authority.client(user);
    folder.put(`${user}.crt`, cert);
    folder.put(`${user}.key`, key);
    // pgjdbc reads no other form.
    const der = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
    writeFileSync(join(folder.rootPath, '..', `${user}.pk8`), der, { mode: 0o600 });
  }
}

function startProxy(folder: TlsFolder, setting: Setting, server: Server): Promise<App> {
  const log = createLogger({ level: 'fatal', format: 'json' }, { write: () => {} });
  return startApp(configSchema.parse(configOf(folder, setting, server.port)), log);
}

function configOf(folder: TlsFolder, { front, auth, upstream, server }: Setting, port: number) {
  const path = (name: string) => join(folder.rootPath, '..', name);
  const name = server === 'misnamed' ? '127.0.0.1' : 'localhost';
  const root = upstream.startsWith('verify-') ? `&sslrootcert=${folder.rootPath}` : '';
  const mode = front === 'without' ? 'disable' : front === 'offers' ? 'allow' : 'require';
  const own = front === 'misnamed' ? 'elsewhere' : 'server';
  const wanted = mode === 'require' ? 'require' : 'want';
  return {
    listen: '127.0.0.1:0',
    upstream: `postgres://${name}:${port}?sslmode=${upstream}${root}`,
    admin: null,
    limits: { drain_timeout: '100ms' },
    auth: auth === 'relay' ? { mode: auth } : { mode: auth, users: path(`${auth}.users`) },
    tls: {
      mode,
      ...(mode !== 'disable' && { cert: path(`${own}.crt`), key: path(`${own}.key`) }),
      ...(auth === 'cert' && { client_ca: folder.rootPath, client_auth: wanted }),
    },
  };
}
