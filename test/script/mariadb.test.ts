/**
 * A script that the program mariadb runs leaves what InnoDB's own cascade leaves: on InnoDB with foreign_key_checks switched off, and
 * on MyISAM, which has no keys. The first by a script for MariaDB, the second by one for MySQL, which takes less for granted.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scriptText } from '../../src/script/script-text.js';
import { describeMissing } from '../support/programs.js';
import { cases } from './cases.js';
import { type MariaDb, missingProgram, startMariaDb } from './mariadb-server.js';
import { scriptOf } from './runs.js';

const missing = missingProgram();

if (missing !== undefined) describeMissing('mariadb', `${missing} is not installed`);
else
  describe('mariadb', () => {
    let server: MariaDb;
    let made = 0;
    beforeAll(async () => {
      server = await startMariaDb();
    });
    afterAll(() => server.stop());

    test.each(cases.filter(({ notOn }) => !notOn?.includes('mariadb')))('$title', async ({
      schema,
      rows,
      statement,
      fails,
    }) => {
      const name = `case${++made}`;
      const sql = withBackticks(`${schema}\n${rows}`);
      await server.execute(
        'mysql',
        `CREATE DATABASE ${name}n; USE ${name}n;\n${sql}\nCREATE DATABASE ${name}i; USE ${name}i;\n${sql}
CREATE DATABASE ${name}m; USE ${name}m;\nSET default_storage_engine = MyISAM;\n${sql}`,
      );
      const deletion = withBackticks(statement);
      const tables = await server.schema(`${name}n`);
      const before = await server.rows(`${name}n`);
      const natively = await server.run(`${name}n`, `${deletion}\n;`);
      const left = await server.rows(`${name}n`);
      expect(natively.status === 0).toBe(fails === undefined);
      for (const [database, dialect, ...options] of [
        [`${name}i`, 'mariadb', '--init-command=SET foreign_key_checks = 0'],
        [`${name}m`, 'mysql'],
      ] as const) {
        const script = scriptText(await scriptOf(tables, deletion, dialect));
        const done = await server.run(database, script, ...options);
        if (fails === undefined) expect(done).toEqual({ status: 0, stdout: '', stderr: '' });
        // MySQL has no RESTRICT of its own: dumps leave it out, as what is meant where nothing is written.
        else {
          const rule = dialect === 'mysql' ? fails.replace('RESTRICT', 'NO ACTION') : fails;
          expect(done.stderr).toContain(`Duplicate entry '${rule}: `);
        }
        expect(await server.rows(database)).toBe(fails === undefined ? left : before);
      }
    });
  });

/** MySQL quotes names otherwise, unless it is told. */
function withBackticks(sql: string): string {
  return sql.replace(/"((?:[^"]|"")*)"/g, (_, name: string) => `\`${name.replaceAll('""', '"')}\``);
}
