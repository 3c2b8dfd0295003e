/** Long pipelines of whatever statements, by clients that wait for no answer: each is answered as natively, in order. */
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { describeClient } from './client.js';
import { describeError } from './failure.js';
import { nodePostgres, told as toldByPg } from './node-postgres.js';
import { postgresJs, told as toldByPostgresJs } from './postgres-js.js';
import { useClientTwin } from './twin.js';

interface Query {
  readonly text: string;
  readonly values: number[];
}

// Few keys, so that statements meet: what one deletes another one inserts again.
const account = fc.integer({ min: 1, max: 5 });
const project = fc.tuple(account, fc.integer({ min: 1, max: 2 })).map(([parent, n]) => 10 * parent + n);
const task = fc.tuple(project, fc.integer({ min: 1, max: 2 })).map(([parent, n]) => 10 * parent + n);

const taking = (weight: number, text: string, ...values: fc.Arbitrary<number>[]) => {
  return { weight, arbitrary: fc.tuple(...values).map((given): Query => ({ text, values: given })) };
};
const query = fc.oneof(
  taking(7, 'DELETE FROM accounts WHERE id = $1', account),
  taking(2, 'DELETE FROM accounts WHERE id >= $1 RETURNING id, name, number', account),
  taking(4, 'DELETE FROM projects WHERE id = $1 RETURNING *', project),
  taking(3, 'DELETE FROM tasks WHERE id = $1', task),
  taking(1, 'DELETE FROM bills'),
  taking(1, 'DELETE FROM seals'),
  taking(4, "INSERT INTO accounts (id, name) VALUES ($1, 'again') ON CONFLICT DO NOTHING", account),
  taking(
    3,
    'INSERT INTO projects (id, account_id) SELECT $1, id FROM accounts WHERE id = $2 ON CONFLICT DO NOTHING',
    project,
    account,
  ),
  taking(2, 'SELECT count(*) FROM tasks WHERE id > $1', task),
  taking(1, 'SELECT nonsense'),
  taking(1, 'SELECT 1 / ($1 - $1)', account),
  ...['BEGIN', 'SAVEPOINT s', 'ROLLBACK TO s', 'COMMIT', 'COMMIT', 'ROLLBACK'].map((text) => taking(1, text)),
);
// A seed, so that a run fails for everybody or for nobody.
const pipelines = fc.sample(fc.array(query, { minLength: 30, maxLength: 100 }), { seed: 18, numRuns: 8 });

await describeClient(nodePostgres, ({ pg }) => {
  const twin = useClientTwin();

  test.each(
    pipelines.map((queries, i) => [i, queries] as const),
  )('pipeline %i is answered as natively', async (_, queries) => {
    await twin.expectAsNative(async (url) => {
      const client = new pg.Client({ connectionString: url, pipeline: true });
      await client.connect();
      const answers = await Promise.all(
        // Every other one prepared under a name: all executions of a text share it.
        queries.map(({ text, values }, i) => {
          const name = i % 2 === 0 || values.length === 0 ? {} : { name: text.slice(0, 63) };
          return client.query({ text, values, ...name }).then(toldByPg, describeError);
        }),
      );
      await client.end();
      return answers;
    });
  });
});

await describeClient(postgresJs, (postgres) => {
  const twin = useClientTwin();

  describe.each([[true], [false]])('with prepare: %s', (prepare) => {
    test.each(
      pipelines.map((queries, i) => [i, queries] as const),
    )('pipeline %i is answered as natively', async (_, queries) => {
      await twin.expectAsNative(async (url) => {
        const sql = postgres(url, { max: 1, onnotice: () => {} });
        // Of its own, so that it may say BEGIN.
        const session = await sql.reserve();
        const answers = await Promise.all(
          queries.map(({ text, values }) =>
            session.unsafe(text, values, { prepare }).then(toldByPostgresJs, describeError),
          ),
        );
        session.release();
        await sql.end();
        return answers;
      });
    });
  });
});
