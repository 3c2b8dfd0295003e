/** What the tests of `pgcascade install` share: running it, and what it leaves. */
import { EventEmitter } from 'node:events';
import { beforeEach } from 'vitest';
import { main } from '../../src/cli/main.js';
import { Signals } from '../../src/cli/signals.js';
import { workspace } from '../config/workspace.js';
import { type Database, useDatabase } from '../support/database.js';
import { failWhereLogged } from '../support/unlogged.js';

/** Runs the program with these arguments. */
export async function run(...argv: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main(argv, {
    env: {},
    cwd: workspace(),
    stdout: { write: (text: string) => out.push(text) },
    stderr: {
      write(text: string) {
        failWhereLogged(text);
        err.push(text);
      },
    },
    process: new EventEmitter(),
    signals: new Signals(new EventEmitter(), () => {}),
    startApp: () => Promise.reject(new Error('nothing is served')),
  });
  return { code, out: out.join(''), err: err.join('') };
}

export interface Installing {
  readonly database: Database;
  /** All that there is in the database beside the server's own. */
  objects(): Promise<readonly string[]>;
  /** A connection that listens, and what it was told of so far when it has asked once more. */
  listener(): Promise<() => Promise<number>>;
}

/** A database in which nothing is installed before each test. */
export function useInstalling(): Installing {
  const database = useDatabase();
  beforeEach(async () => {
    const client = await database.connect();
    await client.query(
      'DROP EVENT TRIGGER IF EXISTS pgcascade_change; DROP SCHEMA IF EXISTS pgcascade CASCADE',
    );
  });
  return {
    database,
    async objects() {
      const client = await database.connect();
      const { rows } = await client.query(`
    SELECT concat('schema ', nspname) AS name FROM pg_namespace WHERE oid >= 16384 UNION
    SELECT concat('function ', oid::regprocedure) FROM pg_proc WHERE oid >= 16384 UNION
    SELECT concat('event trigger ', evtname) FROM pg_event_trigger ORDER BY name`);
      return rows.map(({ name }) => name);
    },
    async listener() {
      const client = await database.connect();
      let told = 0;
      client.on('notification', () => {
        told++;
      });
      await client.query('LISTEN pgcascade');
      return async () => {
        await client.query('');
        return told;
      };
    },
  };
}
