/** Databases for `pgcascade doctor`, and what it says of them as a program reads it. */
import { expect, onTestFinished } from 'vitest';
import { run } from '../cli/run.js';
import { workspace } from '../config/workspace.js';
import { createDatabase } from '../support/database.js';

interface Found {
  readonly level: string;
  readonly check: string;
  readonly text: string;
  readonly remedy: string | null;
}

interface Examined {
  readonly server: string;
  readonly keys: unknown;
  readonly findings: readonly Found[];
}

/** Nothing is to be said of it. */
export const SOUND = `
  CREATE TABLE orgs (id int PRIMARY KEY);
  CREATE TABLE users (id int PRIMARY KEY, org int,
    CONSTRAINT users_org FOREIGN KEY (org) REFERENCES orgs ON DELETE CASCADE NOT ENFORCED);
  CREATE INDEX ON users (org);
  INSERT INTO orgs VALUES (1);
  INSERT INTO users VALUES (1, 1), (2, NULL);`;

export async function databaseWith(schema: string) {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const client = await database.connect();
  await client.query(schema);
  await client.end();
  return database;
}

/**
 * @param settings the configuration, in YAML
 * @param role who looks; else the superuser
 */
export async function examined(schema: string, settings = '', role?: string) {
  const { url } = await databaseWith(schema);
  const as = role === undefined ? url : url.replace(/\/\/[^@]*@/, `//${role}@`);
  const cwd = workspace({ 'pgcascade.yaml': settings });
  const { code, written } = run(['doctor', as, '--format', 'json'], undefined, {}, cwd);
  const exit = await code;
  const [report = ''] = written;
  expect(report).toMatch(/^out: \{/);
  const { findings, ...rest }: Examined = JSON.parse(report.slice('out: '.length));
  return { exit, findings, ...rest };
}

/** The name of a role that may log in, made now and dropped with the test, after the databases that are made later. */
export async function createRole(): Promise<string> {
  const role = `weak_${process.pid}_${Date.now()}`;
  const admin = await databaseWith(`CREATE ROLE ${role} LOGIN`);
  onTestFinished(async () => {
    const client = await admin.connect();
    await client.query(`DROP ROLE ${role}`);
    await client.end();
  });
  return role;
}
