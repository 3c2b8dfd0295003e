/** A server and a proxy in front of it, each in a process of its own, with TLS on both ways or none. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createAuthority } from '../support/certificates.js';
import { startPostgres } from '../support/postgres.js';
import { type ProcessorTime, processorTimeOf } from '../support/processor-time.js';
import { ProxyProgram } from '../support/proxy-program.js';
import { LOOKED_AT, type Memory } from '../support/settled-memory.js';
import { until } from '../support/until.js';

/** Through the proxy, or straight to the server, to a database where the same keys are enforced. */
export type Way = 'proxy' | 'direct';

export interface Stage {
  /** A client that is not connected yet. */
  client(way: Way): pg.Client;
  /** Bytes that the proxy's process takes, without what nobody has any more. */
  memory(): Promise<number>;
  /** What the proxy's thread has had of a processor so far. */
  processorTime(): ProcessorTime;
  /** Connections of clients that the server still has, when all should be gone. */
  leftBehind(): Promise<number>;
  orphans(): Promise<number>;
  stop(): Promise<void>;
}

const schema = (enforcement: string) => `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id serial PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE ${enforcement});
  CREATE TABLE posts (id serial PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE ${enforcement});
  CREATE INDEX ON users (org_id);
  CREATE INDEX ON posts (user_id);`;

/** Of what the load itself does not use: looks, and clients that come while others go. */
const SPARE_CONNECTIONS = 60;

export interface StageOptions {
  /** Whether all ways are over TLS. */
  readonly encrypted: boolean;
  /** Whether the server asks for passwords, by SCRAM. */
  readonly scram: boolean;
}

export async function startStage(clients: number, { encrypted, scram }: StageOptions): Promise<Stage> {
  const authority = await createAuthority('load');
  const { cert, key } = await authority.server([{ type: 'ip', value: '127.0.0.1' }]);
  const connections = { max_connections: String(clients + SPARE_CONNECTIONS) };
  const server = await startPostgres({
    auth: scram ? 'scram' : 'trust',
    config: encrypted ? { ...connections, ssl: 'on' } : connections,
    files: { 'server.crt': cert, 'server.key': key },
  });
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-load-'));
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return path;
  };
  const ca = file('ca.crt', authority.cert);
  const tls = { mode: 'require', cert: file('crt', cert), key: file('key', key) };
  const config = {
    upstream: `postgres://127.0.0.1:${server.port}?sslmode=${encrypted ? `verify-full&sslrootcert=${ca}` : 'disable'}`,
    ...(encrypted ? { tls } : {}),
    limits: { connections: clients + SPARE_CONNECTIONS },
    log: { level: 'warn' },
  };
  const proxy = await ProxyProgram.start(server, config, {
    showsLog: true,
    node: [...LOOKED_AT, '--import', new URL('answers-with-memory.js', import.meta.url).href],
  });
  const client = (way: Way) =>
    new pg.Client({
      host: '127.0.0.1',
      port: (way === 'proxy' ? proxy : server).port,
      user: server.user,
      password: server.password,
      database: way === 'proxy' ? 'postgres' : 'enforced',
      ...(encrypted ? { ssl: { ca: authority.cert } } : {}),
    });
  const observer = new pg.Client({ connectionString: server.url('postgres'), password: server.password });
  await observer.connect();
  await observer.query(schema('NOT ENFORCED'));
  await observer.query('CREATE DATABASE enforced');
  const direct = client('direct');
  await direct.connect();
  await direct.query(schema(''));
  await direct.end();
  const count = async (sql: string) => Number((await observer.query(sql)).rows[0]?.count);
  return {
    client,
    memory: async () => ((await proxy.process.ask('memory')) as Memory).resident,
    processorTime: () => processorTimeOf(proxy.process.pid),
    async leftBehind() {
      const left = () =>
        count(
          `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
        );
      await until('the server has no client left', async () => (await left()) === 0, {
        within: 10_000,
      }).catch(() => {});
      return left();
    },
    orphans: () =>
      count(`SELECT count(*) FROM users LEFT JOIN orgs ON orgs.id = org_id
        FULL JOIN posts ON user_id = users.id WHERE orgs.id IS NULL OR (posts.id IS NOT NULL AND users.id IS NULL)`),
    async stop() {
      await observer.end();
      await proxy.kill();
      await server.stop('immediate');
      rmSync(folder, { recursive: true });
    },
  };
}
