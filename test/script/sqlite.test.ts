/** A script that sqlite3 runs, foreign keys switched off, leaves what SQLite's own cascade leaves. */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { scriptText } from '../../src/script/script-text.js';
import { describeProgram } from '../support/programs.js';
import { serverFolder } from '../support/server-folder.js';
import { cases } from './cases.js';
import { output, ran, scriptOf } from './runs.js';

const folder = serverFolder(undefined);
let files = 0;
afterAll(() => rmSync(folder, { recursive: true }));

describeProgram('sqlite3', () => {
  test.each(cases.filter(({ notOn }) => !notOn?.includes('sqlite')))('$title', async ({
    schema,
    rows,
    statement,
    fails,
  }) => {
    const scripted = join(folder, `${++files}.db`);
    const tables = await output('sqlite3', ['-bail', scripted], `${schema}\n${rows}\n.schema`);
    const native = `${scripted}.native`;
    copyFileSync(scripted, native);
    const natively = await ran(
      'sqlite3',
      ['-bail', native],
      `PRAGMA foreign_keys = ON;\n${statement}\n;\n.dump`,
    );
    const script = scriptText(await scriptOf(tables, statement, 'sqlite'));
    const done = await ran('sqlite3', [scripted], `${script}.dump\n`);
    expect(done.status === 0).toBe(natively.status === 0);
    expect(done.stdout).toBe(natively.stdout);
    if (fails === undefined) {
      expect(done).toMatchObject({ status: 0, stderr: '' });
      return;
    }
    expect(done.stderr).toContain(`CHECK constraint failed: ${fails}`);
    // What was copied before either of them.
    const before = await output('sqlite3', [native], '.dump');
    expect(await output('sqlite3', [scripted], '.dump')).toBe(before);
  });
});
