/** A database of PostgreSQL's behind a gate. */
import { inject } from 'vitest';
import { createDatabase } from '../support/database.js';
import { type Gate, type GateOptions, startGate } from './gate.js';

export interface Gated extends Gate {
  readonly database: string;
  /** Executes texts directly. */
  load(sql: string): Promise<unknown>;
}

/** @param schema is executed directly; THIS_ONE in it stands for the name of the database */
export async function startGated(options: GateOptions, schema: readonly string[]): Promise<Gated> {
  const database = await createDatabase();
  const owner = await database.connect();
  for (const sql of schema) await owner.query(sql.replaceAll('THIS_ONE', database.name));
  const gate = await startGate(inject('postgres'), options);
  return {
    ...gate,
    database: database.name,
    load: (sql) => owner.query(sql),
    async close() {
      await gate.close();
      await database.drop();
    },
  };
}
