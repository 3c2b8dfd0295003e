/** Databases that speak PostgreSQL's protocol themselves, or by a front, and take no expanded statement. */
import pg from 'pg';
import { describeMissing } from '../support/programs.js';
import { DUCKDB_PACKAGE, startDuckDb } from './duckdb.js';
import { H2_LOGIN, missingH2, startH2 } from './h2.js';
import { missing } from './packages.js';
import { describePromises, type Promised } from './promises.js';
import { SQLITE_PACKAGE, startSqlite } from './sqlite.js';

const TABLES = [
  'CREATE TABLE orders (id int PRIMARY KEY)',
  'CREATE TABLE users (id int PRIMARY KEY)',
  'INSERT INTO orders VALUES (1), (2)',
  'INSERT INTO users VALUES (1)',
];
const UNDECLARED = [
  ...TABLES,
  'CREATE TABLE items (id int PRIMARY KEY, order_id int)',
  'INSERT INTO items VALUES (10, 1), (20, 2)',
];
const relation = (schema: string): Promised['relations'] => [
  { name: 'fk', from: `${schema}.items(order_id)`, to: `${schema}.orders(id)`, on_delete: 'cascade' },
];

function describeEngine(name: string, reason: string | undefined, promised: Promised): void {
  if (reason === undefined) describePromises(name, promised);
  else describeMissing(name, reason);
}

describeEngine('H2', missingH2(), {
  start: async () => {
    const server = await startH2();
    const owner = new pg.Client({ ...H2_LOGIN, host: server.host, port: server.port });
    await owner.connect();
    for (const sql of [
      ...TABLES,
      'CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE)',
      'INSERT INTO items VALUES (10, 1), (20, 2)',
      'SET REFERENTIAL_INTEGRITY FALSE',
    ])
      await owner.query(sql);
    await owner.end();
    return server;
  },
  login: H2_LOGIN,
  relations: relation('public'),
  called: 'using H2 2.',
  errorsWithoutEnd: true,
  reason: 'neither RETURNING nor a WITH that writes',
  passes: [
    'DELETE FROM users WHERE id = 99 LIMIT 1',
    'SELECT id FROM OLD TABLE (DELETE FROM users WHERE id = 99)',
  ],
});

const DUCKDB = {
  relations: relation('main'),
  called: 'DuckDB (version 15.0 (Duckgres))',
  reason: 'a WITH there only reads',
  passes: ['DELETE FROM users WHERE id = 99 RETURNING id', 'SAVEPOINT s', "SELECT '{1}'::int[]"],
};
describeEngine('DuckDB', missing(DUCKDB_PACKAGE), { ...DUCKDB, start: () => startDuckDb(UNDECLARED) });
describeEngine('DuckDB with declared keys', missing(DUCKDB_PACKAGE), {
  ...DUCKDB,
  start: () =>
    startDuckDb([
      ...TABLES,
      'CREATE TABLE items (id int PRIMARY KEY, order_id int REFERENCES orders)',
      'INSERT INTO items VALUES (10, 1), (20, 2)',
    ]),
});

describeEngine('SQLite', missing(SQLITE_PACKAGE), {
  start: () => startSqlite(UNDECLARED),
  relations: relation('main'),
  called: 'one that does not know pg_catalog.version()',
  reason: 'neither PostgreSQL 10 or later nor a database that is known here',
  passes: ['DELETE FROM users WHERE id = 99 RETURNING id', 'PRAGMA foreign_keys'],
});
