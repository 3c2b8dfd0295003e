/** PostgreSQL's own programs work through the proxy unchanged. Where one is not installed, its tests are skipped. */
import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { describeProgram } from '../support/programs.js';
import { useProxy } from '../support/proxy.js';

const database = useDatabase();
const proxy = useProxy();

/** Runs a program against the proxy, feeds it `input`, and gives what it printed. */
function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const { host, port } = proxy;
  const env = {
    ...process.env,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: 'postgres',
    PGDATABASE: database.name,
  };
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env, timeout: 60_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${program}: ${stderr}`)) : resolve(stdout),
    );
    child.stdin?.end(input);
  });
}

const psql = (script: string) => run('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1'], script);

describeProgram('psql', () => {
  test('deletes a parent, and its children are gone', async () => {
    const printed = await psql(`
      CREATE TABLE a (id int PRIMARY KEY);
      CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE NOT ENFORCED);
      CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE NOT ENFORCED);
      INSERT INTO a SELECT generate_series(1, 3); INSERT INTO b SELECT n, n % 3 + 1 FROM generate_series(1, 9) AS n;
      INSERT INTO c SELECT n, n % 9 + 1 FROM generate_series(1, 27) AS n;
      DELETE FROM a WHERE id = 1 RETURNING id;
      SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c);
    `);
    expect(printed).toBe('1\n2|6|18\n');
  });

  test('copies in and out, describes tables, and holds a cursor', async () => {
    const printed = await psql(
      'CREATE TABLE copied (n int, t text);\nCOPY copied FROM STDIN;\n1\tone\n2\ttwo\n\\.\nCOPY copied TO STDOUT;\n' +
        'BEGIN;\nDECLARE c CURSOR FOR SELECT n FROM copied ORDER BY n;\nFETCH 1 FROM c;\nCOMMIT;\n\\dt copied\n',
    );
    expect(printed).toBe('1\tone\n2\ttwo\n1\npublic|copied|table|postgres\n');
  });
});

describeProgram('pgbench', () => {
  test('makes its tables and runs its read-only script in every protocol, with no transaction failed', async () => {
    await run('pgbench', ['-i', '-q']);
    for (const protocol of ['simple', 'extended', 'prepared']) {
      const report = await run('pgbench', ['-n', '-S', '-c', '4', '-t', '50', '-M', protocol]);
      expect(report).toContain('number of transactions actually processed: 200/200');
    }
  });
});
