/** A DELETE that cascades, in every form in which drivers send statements: answered as natively. */
import { describe, expect, test } from 'vitest';
import {
  bind,
  describePortal,
  describeStatement,
  execute,
  flush,
  parse,
  query,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import type { RawClient } from '../support/raw-client.js';
import { useTwin } from './twin.js';

const twin = useTwin();
const deleteOrg = 'DELETE FROM orgs WHERE id = $1';
const binary = (id: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(id);
  return bytes;
};

describe('a DELETE', () => {
  test('in a simple query has the native tag', () =>
    twin.expectAsNative((client) => client.ask(query('DELETE FROM orgs WHERE id <= 2'))));

  test('that matches nothing has the tag DELETE 0', () =>
    twin.expectAsNative((client) => client.ask(query('DELETE FROM orgs WHERE id = 99'))));

  test('8 with parameters in text cascades', () =>
    twin.expectAsNative((client) => client.ask(run(deleteOrg, ['2']), sync)));

  test('8 with parameters in binary cascades', () =>
    twin.expectAsNative((client) => client.ask(run(deleteOrg, [binary(2)]), sync)));

  test('8 with declared types of its parameters cascades', () =>
    twin.expectAsNative((client) =>
      client.ask(parse(deleteOrg, '', [20]), describeStatement(), bind({ values: ['3'] }), execute(), sync),
    ));

  test('8 whose parameter is NULL deletes nothing', () =>
    twin.expectAsNative((client) => client.ask(run(deleteOrg, [null]), sync)));

  test('9 prepared once cascades at every execution', () =>
    twin.expectAsNative(async (client) => {
      const answers = await client.ask(parse(deleteOrg, 'd'), sync);
      for (const id of ['1', '2', '2', '3'])
        answers.push(...(await client.ask(runPrepared('d', [id]), sync)));
      return answers;
    }));

  test('10 executed five times before one Sync has five tags', () =>
    twin.expectAsNative((client) =>
      client.ask(
        parse(deleteOrg, 'd'),
        ...['1', '2', '9', '3', '1'].map((id) => runPrepared('d', [id])),
        sync,
      ),
    ));

  test('sent byte by byte cascades', () =>
    twin.expectAsNative(async (client) => {
      await client.sendInPieces(Buffer.concat([run(deleteOrg, ['1']), sync]), 1);
      return client.untilReady();
    }));

  test('11 is described before it is executed, by a driver that waits after Flush', () =>
    twin.expectAsNative(async (client) => {
      client.send(parse(deleteOrg, 'd'), describeStatement('d'), flush);
      const described = await client.until('n');
      return [...described, ...(await client.ask(runPrepared('d', ['1']), sync))];
    }));

  test('of a client that closes its side at once is executed and answered', () =>
    twin.expectAsNative(async (client) => {
      client.send(query('DELETE FROM orgs WHERE id = 1'));
      client.socket.end();
      return client.rest();
    }));
});

describe('a pipeline', () => {
  const select = 'SELECT name FROM orgs WHERE id = $1';

  test('keeps an unnamed DELETE and an unnamed SELECT after it apart', () =>
    twin.expectAsNative((client) => client.ask(run(deleteOrg, ['1']), run(select, ['2']), sync)));

  test('keeps an unnamed SELECT and an unnamed DELETE after it apart', () =>
    twin.expectAsNative((client) => client.ask(run(select, ['1']), run(deleteOrg, ['1']), sync)));

  test('binds the statement that the name had when it was bound', () =>
    twin.expectAsNative((client) =>
      client.ask(
        parse(deleteOrg),
        bind({ portal: 'first', values: ['1'] }),
        parse(select),
        bind({ portal: 'second', values: ['2'] }),
        execute('first'),
        execute('second'),
        sync,
      ),
    ));

  test('10 undoes its DELETE when a later statement fails', () =>
    twin.expectAsNative((client) =>
      client.ask(run(deleteOrg, ['1']), run('SELECT 1/0'), run(deleteOrg, ['2']), sync),
    ));

  test('10 goes on after the Sync after a DELETE that failed', () =>
    twin.expectAsNative((client) => {
      client.send(run(deleteOrg, ['4']), run(deleteOrg, ['1']), sync, run(deleteOrg, ['2']), sync);
      return client.untilReady(2);
    }));

  test('skips a DELETE after an error, and the next one is not taken for it', () =>
    twin.expectAsNative((client) => {
      client.send(run('SELECT nonsense'), parse(deleteOrg, 'd'), sync, run(select, ['1']), sync);
      client.send(parse(deleteOrg, 'd'), runPrepared('d', ['1']), sync);
      return client.untilReady(3);
    }));

  test('10 of two DELETEs with a Sync after each commits the first when the second fails', () =>
    twin.expectAsNative((client) => {
      client.send(run(deleteOrg, ['1']), sync, run(deleteOrg, ['4']), sync);
      return client.untilReady(2);
    }));
});

describe('a Parse that fails', () => {
  const wrong = 'DELETE FROM orgs WHERE nonsense = $1';

  test('leaves no statement behind', () =>
    twin.expectAsNative(async (client) => [
      ...(await client.ask(parse(wrong, 'd'), sync)),
      ...(await client.ask(runPrepared('d', ['1']), sync)),
    ]));

  test('leaves the name to the next statement', () =>
    twin.expectAsNative(async (client) => [
      ...(await client.ask(parse(wrong, 'd'), sync)),
      ...(await client.ask(parse('SELECT 1', 'd'), runPrepared('d'), sync)),
    ]));

  test('because the name is taken leaves the statement that has it', () =>
    twin.expectAsNative(async (client) => [
      ...(await client.ask(parse(deleteOrg, 'd'), sync)),
      ...(await client.ask(parse('SELECT 1', 'd'), sync)),
      ...(await client.ask(runPrepared('d', ['1']), sync)),
    ]));
});

describe('a name', () => {
  const swap = (again: (client: RawClient) => Promise<unknown>) =>
    twin.expectAsNative(async (client) => {
      await client.ask(parse(deleteOrg, 'd'), sync);
      await again(client);
      return client
        .ask(query("PREPARE d AS SELECT 42, 'forty-two'"), runPrepared('d'), sync)
        .then((first) => client.untilReady().then((second) => [...first, ...second]));
    });

  test('that DEALLOCATE freed means what SQL prepares under it', () =>
    swap((client) => client.ask(query('DEALLOCATE d'))));

  test('that DISCARD ALL freed means what SQL prepares under it', () =>
    swap((client) => client.ask(query('DISCARD ALL'))));

  test('of an unnamed DELETE is free for the next unnamed statement', () =>
    twin.expectAsNative(async (client) => [
      ...(await client.ask(run(deleteOrg, ['1']), sync)),
      ...(await client.ask(query('SELECT 1'))),
      ...(await client.ask(bind(), describePortal(), execute(), sync)),
    ]));
});

test('nothing of this is done by the server alone', async () => {
  const client = await twin.connectDirect();
  expect(await client.told(query('DELETE FROM orgs WHERE id = 1'))).toEqual(['C DELETE 1', 'Z I']);
  expect((await twin.rowsLeft()).users).toContain('11 12 ');
});
