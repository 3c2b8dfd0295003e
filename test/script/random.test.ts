/**
 * Scripts of random DELETEs on random schemas, against the engine's own cascade. SCRIPT_SEEDS says how many.
 *
 * Where both delete, the databases are equal. A script may refuse what the engine deletes where a RESTRICT key is (InnoDB's NO ACTION
 * is one), as that is decided by the order of keys; and InnoDB may refuse what the script deletes where a NO ACTION key is.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scriptText } from '../../src/script/script-text.js';
import { describeMissing, describeProgram } from '../support/programs.js';
import { serverFolder } from '../support/server-folder.js';
import { type MariaDb, missingProgram, startMariaDb } from './mariadb-server.js';
import { randomCase } from './random-schema.js';
import { output, ran, scriptOf } from './runs.js';

const seeds = Array.from({ length: Number(process.env.SCRIPT_SEEDS ?? 15) }, (_, i) => i + 1);

describeProgram('sqlite3', () => {
  const folder = serverFolder(undefined);
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(seeds)('seed %i', async (seed) => {
    const { schema, rows, statement } = randomCase(seed);
    const scripted = join(folder, `${seed}.db`);
    const tables = await output('sqlite3', ['-bail', scripted], `${schema}\n${rows}\n.schema`);
    copyFileSync(scripted, `${scripted}.native`);
    const native = `PRAGMA foreign_keys = ON;\n${statement}\n;\n.dump`;
    const natively = await ran('sqlite3', ['-bail', `${scripted}.native`], native);
    const script = scriptText(await scriptOf(tables, statement, 'sqlite'));
    const done = await ran('sqlite3', [scripted], `${script}.dump\n`);
    if (done.status === 0) expect(done.stdout).toBe(natively.stdout);
    else if (natively.status === 0) expect(done.stderr).toContain('(RESTRICT)');
    else expect(done.stderr).toMatch(/\((?:RESTRICT|NO ACTION)\)/);
  });
});

const missing = missingProgram();

if (missing !== undefined) describeMissing('mariadb', `${missing} is not installed`);
else
  describe('mariadb', () => {
    let server: MariaDb;
    beforeAll(async () => {
      server = await startMariaDb();
    });
    afterAll(() => server.stop());

    test.each(seeds)('seed %i', async (seed) => {
      const { schema, rows, statement } = randomCase(seed);
      const [native, scripted] = [`n${seed}`, `s${seed}`];
      const engine = seed % 2 === 0 ? 'InnoDB' : 'MyISAM';
      await server.execute(
        'mysql',
        `SET foreign_key_checks = 0;\nCREATE DATABASE ${native}; USE ${native};\n${schema}\n${rows}
CREATE DATABASE ${scripted}; USE ${scripted};\nSET default_storage_engine = ${engine};\n${schema}\n${rows}`,
      );
      const tables = await server.schema(native);
      const natively = await server.run(native, `${statement}\n;`);
      const script = scriptText(await scriptOf(tables, statement, seed % 3 === 0 ? 'mysql' : 'mariadb'));
      const before = await server.rows(scripted);
      const done = await server.run(scripted, script, '--init-command=SET foreign_key_checks = 0');
      const left = await server.rows(scripted);
      if (done.status !== 0) {
        expect(done.stderr).toMatch(/Duplicate entry '.* \((?:RESTRICT|NO ACTION)\): /);
        expect(left).toBe(before);
      } else if (natively.status === 0) expect(left).toBe(await server.rows(native));
      else expect(schema).toContain('NO ACTION');
    });
  });
