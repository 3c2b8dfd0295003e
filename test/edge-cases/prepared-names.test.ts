/** What SQL prepares and drops, executed in the protocol or in SQL, with and without waiting for the answers between. */
import { describe, test, vi } from 'vitest';
import {
  closeStatement,
  describeStatement,
  parse,
  query,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { sameOn } = useSides();

const PREPARE = 'PREPARE d (int) AS DELETE FROM orgs WHERE id = $1';
const OTHER = "PREPARE d (int) AS SELECT $1 AS is, 'no DELETE'";
const cases: Readonly<Record<string, readonly Buffer[]>> = {
  'EXECUTE after PREPARE': [
    query(PREPARE),
    query('EXECUTE d (1)'),
    query('EXECUTE d (4)'),
    query('EXECUTE d (2)'),
  ],
  'EXECUTE of what has taken the name': [
    query(PREPARE),
    query('DEALLOCATE d'),
    query(OTHER),
    query('EXECUTE d (1)'),
  ],
  'EXECUTE of what DISCARD ALL has dropped': [query(PREPARE), query('DISCARD ALL'), query('EXECUTE d (1)')],
  'EXECUTE after a PREPARE that failed': [query(OTHER), query(PREPARE), query('EXECUTE d (1)')],
  'EXECUTE after a string that failed': [
    query(OTHER),
    query(`SELECT 1/0; DEALLOCATE d; ${PREPARE}`),
    query('EXECUTE d (1)'),
  ],
  'EXECUTE after a string that prepares': [query(`BEGIN; ${PREPARE}; COMMIT`), query('EXECUTE d (1)')],
  'EXECUTE in a failed transaction': [
    query(PREPARE),
    query('BEGIN; SELECT 1/0'),
    query('EXECUTE d (1)'),
    query('ROLLBACK'),
    query('EXECUTE d (1)'),
  ],
  'Bind after PREPARE': [
    query(PREPARE),
    describeStatement('d'),
    runPrepared('d', ['1']),
    sync,
    runPrepared('d', ['4']),
    sync,
  ],
  'Bind of what has taken the name': [
    query(PREPARE),
    query('DEALLOCATE d'),
    query(OTHER),
    runPrepared('d', ['1']),
    sync,
  ],
  'Bind of what the protocol put in its place': [
    query(PREPARE),
    closeStatement('d'),
    parse('SELECT $1::int', 'd'),
    runPrepared('d', ['1']),
    sync,
  ],
  'EXECUTE under the Sync of PREPARE': [run(PREPARE), run('EXECUTE d (1)'), run('EXECUTE d (2)'), sync],
  'EXECUTE that a rule stops under the Sync of PREPARE': [
    run(PREPARE),
    run('EXECUTE d (1)'),
    run('EXECUTE d (4)'),
    run('EXECUTE d (2)'),
    sync,
    run('EXECUTE d (3)'),
    sync,
  ],
  'Bind under the Sync of PREPARE': [run(PREPARE), runPrepared('d', ['1']), runPrepared('d', ['2']), sync],
  'EXECUTE under the Sync of DEALLOCATE': [
    run(PREPARE),
    sync,
    run('DEALLOCATE ALL'),
    run(OTHER),
    run('EXECUTE d (1)'),
    runPrepared('d', ['2']),
    sync,
  ],
  'EXECUTE of a PREPARE that was skipped': [
    run(OTHER),
    sync,
    run('SELECT 1/0'),
    run('DEALLOCATE d'),
    run(PREPARE),
    run('EXECUTE d (1)'),
    sync,
    run('EXECUTE d (2)'),
    sync,
  ],
  'EXECUTE of what the protocol prepared': [
    parse('DELETE FROM orgs WHERE id = $1 RETURNING id', 'd'),
    sync,
    ...[1, 4, 2].map((id) => query(`EXECUTE d (${id})`)),
    run('EXECUTE d (3)'),
    sync,
  ],
  'DEALLOCATE of what the protocol prepared': [
    parse('DELETE FROM orgs WHERE id = $1', 'd'),
    run('DEALLOCATE d'),
    run(OTHER),
    runPrepared('d', ['1']),
    sync,
  ],
};
const READY = /^[QS]$/;
const ends = (bytes: readonly Buffer[]) =>
  bytes.filter((each) => READY.test(String.fromCharCode(each[0] ?? 0))).length;

describe('51 a name of a prepared statement:', () => {
  test.each(Object.entries(cases))('%s, all in one write', (_, bytes) =>
    sameOn(ALL, SAMPLE, async ({ client }) => {
      client.send(...bytes);
      return (await client.untilReady(ends(bytes))).filter(({ type }) => type !== 'S');
    }));

  test.each(Object.entries(cases))('%s, one after the other', (_, bytes) =>
    sameOn(ALL, SAMPLE, async ({ client }) => {
      const answers = [];
      let unit: Buffer[] = [];
      for (const each of bytes) {
        unit.push(each);
        if (ends([each]) === 0) continue;
        answers.push(...(await client.ask(...unit)));
        unit = [];
      }
      return answers.filter(({ type }) => type !== 'S');
    }));
});
