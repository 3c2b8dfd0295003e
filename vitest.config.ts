import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // One PostgreSQL server is shared by all files; each file makes its own database.
    globalSetup: 'test/support/global-setup.ts',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Threads of src are loaded by Node itself.
    execArgv: ['--import', new URL('test/support/typescript-threads.js', import.meta.url).href],
    maxWorkers: 2,
  },
});
