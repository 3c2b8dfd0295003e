/** Messages in any order, COPY data among them, in any split: the answers are those of the server, and nothing is lost. */
import fc from 'fast-check';
import { expect, inject, test, vi } from 'vitest';
import {
  bind,
  copyData,
  copyDone,
  copyFail,
  execute,
  flush,
  parse,
  query,
  run,
  sync,
  terminate,
} from '../support/frontend-messages.js';
import { RawClient, readable } from '../support/raw-client.js';
import { useDirectly } from '../wire/as-directly.js';
import { cutAt, cuts } from '../wire/bytes.js';

vi.setConfig({ testTimeout: 600_000 });
const { database, proxy } = useDirectly(`
  CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not here'; END $$;
  CREATE TABLE item (id int); CREATE TABLE late (id int); CREATE TABLE early (id int);
  CREATE VIEW joined AS SELECT a.id FROM item a JOIN item b USING (id);
  CREATE TRIGGER t BEFORE INSERT ON early EXECUTE FUNCTION refuses();
  CREATE TRIGGER t AFTER INSERT ON late EXECUTE FUNCTION refuses();`);

const END = 'end of the messages';
const ROWS = 'TRUNCATE child, parent, item; INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)';
// What they delete has no children: directly nothing cascades.
const DELETE = 'DELETE FROM parent WHERE id = -1';
const text = fc.constantFrom(
  'COPY item FROM STDIN',
  'COPY item FROM STDOUT',
  'COPY joined FROM STDIN',
  'COPY early FROM STDIN',
  'COPY late FROM STDIN',
  'COPY none FROM STDIN',
  'COPY item TO STDOUT',
  DELETE,
  `${DELETE} RETURNING id`,
  'SELECT 1',
  'SELECT 1/0',
  'BEGIN',
  'COMMIT',
);
const name = fc.constantFrom('', 's');
const data = fc.constantFrom(copyData('1\n'), copyData('1\n2'), copyData('x\n'), copyData(''));
const step = fc.oneof(
  { weight: 4, arbitrary: text.map((it) => run(it)) },
  { weight: 4, arbitrary: text.map((it) => query(it)) },
  { weight: 1, arbitrary: fc.tuple(text, text).map(([one, two]) => query(`${one}; ${two}`)) },
  { weight: 1, arbitrary: fc.tuple(text, name).map(([it, as]) => parse(it, as)) },
  { weight: 1, arbitrary: fc.tuple(name, name).map(([statement, portal]) => bind({ statement, portal })) },
  { weight: 1, arbitrary: name.map((portal) => execute(portal)) },
  { weight: 6, arbitrary: data },
  { weight: 6, arbitrary: fc.constant(copyDone) },
  { weight: 1, arbitrary: fc.constant(copyFail('enough')) },
  { weight: 6, arbitrary: fc.constant(sync) },
  { weight: 1, arbitrary: fc.constantFrom(flush, Buffer.from('S\0\0\0\x05x'), Buffer.from('H\0\0\0\x05x')) },
);

/** What is answered to the bytes; after a connection that has ended that is its end. */
async function answersTo(client: RawClient, bytes: Buffer, places: readonly number[]): Promise<string[]> {
  for (const piece of cutAt(bytes, places)) await client.sendInPieces(piece, Math.max(piece.length, 1));
  client.send(copyFail('over'), sync, query('ROLLBACK'), query(`DO $$ BEGIN RAISE NOTICE '${END}'; END $$`));
  const came: string[] = [];
  for (let it = await client.next(); it; it = await client.next()) {
    came.push(...readable([it]));
    if (it.type === 'N' && it.body.includes(END)) return [...came, ...readable(await client.untilReady())];
  }
  return came;
}

/** The same connection again, or a new one where the server has ended it. */
async function goOn(client: RawClient, last: string | undefined): Promise<RawClient> {
  if (last === 'Z I') return client;
  return RawClient.login(proxy, { database: database.name });
}

test('any messages, in any split, are answered as directly, and a DELETE after them cascades', async () => {
  let ended = 0;
  const property = async (steps: readonly Buffer[], places: readonly number[]) => {
    const bytes = Buffer.concat(steps);
    const direct = await RawClient.login(inject('postgres'), { database: database.name });
    await direct.ask(query(ROWS));
    const expected = await answersTo(direct, bytes, []);
    direct.socket.destroy();
    const proxied = await RawClient.login(proxy, { database: database.name });
    await proxied.ask(query(ROWS));
    expect(await answersTo(proxied, bytes, places)).toEqual(expected);
    if (expected.at(-1) !== 'Z I') ended++;
    const client = await goOn(proxied, expected.at(-1));
    await client.ask(query(`${ROWS}; DISCARD ALL`));
    expect(await client.told(query('DELETE FROM parent WHERE id = 1'))).toContain('C DELETE 1');
    expect(await client.told(query('SELECT FROM child'))).toContain('C SELECT 0');
    client.send(terminate);
    expect(await client.rest()).toEqual([]);
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 14 }), cuts, property), {
    numRuns: Number(process.env.RUNS ?? 60),
    seed: Number(process.env.SEED ?? 20261126),
    endOnFailure: true,
  });
  // A Query or the like among data ends the connection.
  expect(ended).toBeGreaterThan(0);
});
