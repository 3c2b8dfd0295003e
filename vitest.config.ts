import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** These put a mistake into a module of src, which has to be one of their own. */
export const mutating = [
  'test/twin/mutations.test.ts',
  'test/twin/interleave/found-out.test.ts',
  'test/session/locks.test.ts',
];

const project = (
  name: string,
  test: TestProjectInlineConfiguration['test'],
): TestProjectInlineConfiguration => ({
  test: {
    name,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Threads of src are loaded by Node itself.
    execArgv: ['--import', new URL('test/support/typescript-threads.js', import.meta.url).href],
    ...test,
  },
});

export default defineConfig({
  test: {
    reporters: ['default', './test/support/run-summary.ts'],
    // One PostgreSQL server is shared by all files; each file makes its own database.
    globalSetup: 'test/support/global-setup.ts',
    maxWorkers: 2,
    projects: [
      // The files of a worker share what they import, which would otherwise be loaded once for each of them.
      project('tests', {
        include: ['test/**/*.test.ts'],
        exclude: [...configDefaults.exclude, ...mutating],
        isolate: false,
      }),
      project('mutants', { include: mutating }),
    ],
  },
});
