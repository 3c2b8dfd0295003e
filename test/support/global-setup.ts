import type { TestProject } from 'vitest/node';
import { type ServerAddress, startPostgres } from './postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The one server of this test run; `createDatabase` makes databases on it. */
    postgres: ServerAddress;
  }
}

/** Starts the server that all test files share, and gives vitest what ends it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, host, port, socketDir, user } = await startPostgres();
  project.provide('postgres', { host, port, socketDir, user });
  return () => stop('immediate');
}
