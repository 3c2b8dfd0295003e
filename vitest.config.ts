import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** These put a mistake into a module of src, which has to be one of their own. */
export const mutating = [
  'test/twin/mutations.test.ts',
  'test/twin/interleave/found-out.test.ts',
  'test/twin/writes/found-out.test.ts',
];

/**
 * These take half of the time: programs and engines of others, random statements, volumes, and each message in each state. `npm test`
 * leaves them out, `npm run test:long` runs them with the mutants, and CI runs both.
 */
const long = [
  'test/clients/**/*.test.ts',
  'test/engines/*.test.ts',
  'test/script/*.test.ts',
  'test/schema-files/dumps.test.ts',
  'test/{edge-cases/many-rows,ordered/too-many-keys}.test.ts',
  'test/matrix/*.test.ts',
  'test/chaos/*.test.ts',
  'test/servers/*.test.ts',
  'test/auth/clients.test.ts',
  'test/programs.test.ts',
  'test/service-manager.test.ts',
  'test/twin/{fuzz,batches}.test.ts',
  'test/twin/writes/writes.test.ts',
  'test/twin/interleave/{interleave,guarded}.test.ts',
  'test/guard/{beside-batches,circles-random}.test.ts',
  'test/cli/{idle-memory,start}.test.ts',
  'test/documents/sessions.test.ts',
  'test/support/postgres.test.ts',
  'test/net/{embedded,embedded-end}.test.ts',
  'test/{session,sql}/long-texts.test.ts',
  'test/session/{broken-messages,client-gone,copy-any,copy-in-step,encoded-texts,encodings,many-changes}.test.ts',
  'test/session/{markers,message-memory,passthrough-volume,programs}.test.ts',
];

/**
 * What depends on Node, and no long test asks for: TLS, sockets that end, processes and signals. They are in `npm test`; with
 * OF_NODE=1, as CI runs the long tests on the newest Node, they are among those too.
 */
const ofNode = [
  'test/wire/*.test.ts',
  'test/net/{client-tls,client-certificates,client-handshakes,client-reset,server-tls,gateway,limits,listener,openings}.test.ts',
  'test/auth/{encrypted,conversations,scram}.test.ts',
  'test/cli/*.test.ts',
  'test/session/{passthrough,passthrough-copy}.test.ts',
];

/** These need no server: what PostgreSQL says to them is kept in files. */
const planning = ['test/plan/*.test.ts'];

const project = (
  name: string,
  test: TestProjectInlineConfiguration['test'],
): TestProjectInlineConfiguration => ({
  test: {
    name,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // One PostgreSQL server is shared by all files; each file makes its own database.
    globalSetup: 'test/support/global-setup.ts',
    // Threads of src are loaded by Node itself.
    execArgv: ['--import', new URL('test/support/typescript-threads.js', import.meta.url).href],
    ...test,
  },
});

export default defineConfig({
  test: {
    reporters: ['default', './test/support/run-summary.ts'],
    // One more than the cores that CI has: some tests wait, for a client that is gone or a timeout of the server's.
    maxWorkers: 3,
    projects: [
      // The files of a worker share what they import, which would otherwise be loaded once for each of them.
      project('tests', {
        include: ['test/**/*.test.ts'],
        exclude: [...configDefaults.exclude, ...long, ...mutating, ...planning],
        isolate: false,
      }),
      project('long', { include: process.env.OF_NODE === '1' ? [...long, ...ofNode] : long, isolate: false }),
      project('mutants', { include: mutating }),
      project('plans', {
        include: planning,
        isolate: false,
        // Only golden files that are written anew are made of what a server says.
        ...(process.env.UPDATE_GOLDEN === '1' ? {} : { globalSetup: [] }),
      }),
    ],
  },
});
