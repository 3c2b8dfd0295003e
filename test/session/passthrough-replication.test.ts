/** Replication connections: other commands, and COPY in both directions at once. */
import { describe, expect, test, vi } from 'vitest';
import { copyData, copyDone, query, terminate } from '../support/frontend-messages.js';
import { type RawClient, type RawMessage, readable } from '../support/raw-client.js';
import { useDirectly } from '../wire/as-directly.js';

vi.setConfig({ testTimeout: 15_000 });
const directly = useDirectly('CREATE PUBLICATION news FOR TABLE parent');
const logical = { parameters: { replication: 'database' } };
const CREATE = query('CREATE_REPLICATION_SLOT it TEMPORARY LOGICAL pgoutput (SNAPSHOT nothing)');
const START = `START_REPLICATION SLOT it LOGICAL 0/0 (proto_version '1', publication_names 'news')`;

/** As `readable`, with log sequence numbers, slots' snapshots and ids of transactions left out. */
const words = (messages: readonly RawMessage[]) =>
  readable(messages).map((each) =>
    each.replace(/[0-9A-F]+\/[0-9A-F]+/g, 'lsn').replace(/\|[\w-]+\|pg/, '|snapshot|pg'),
  );

async function expectAsDirectly(steps: (client: RawClient) => Promise<readonly RawMessage[]>) {
  const direct = await directly.connectDirect(logical);
  const expected = words(await steps(direct));
  // Its temporary slot is gone before its connection is.
  direct.send(terminate);
  await direct.rest();
  expect(words(await steps(await directly.connect(logical)))).toEqual(expected);
  return expected;
}

/** Standby status update: nothing written yet, and please answer. */
function statusUpdate(): Buffer {
  const body = Buffer.alloc(34);
  body.write('r');
  body[33] = 1;
  return copyData(body);
}

/** What the server sends in CopyBoth mode up to a message of this kind: k is keepalive, w data of the log. */
async function untilCopied(client: RawClient, wanted: (body: Buffer) => boolean): Promise<void> {
  for (;;) {
    const [message] = (await client.until('d')).slice(-1);
    if (message && wanted(message.body)) return;
  }
}

describe('a replication connection', () => {
  test('is told the system, as directly', async () => {
    const told = await expectAsDirectly((client) => client.ask(query('IDENTIFY_SYSTEM')));
    expect(told[1]).toContain(directly.database.name);
  });

  test('has plain SQL, and errors of both grammars, as directly', () =>
    expectAsDirectly((client) => {
      client.send(
        query('SELECT 1'),
        query('START_REPLICATION SLOT'),
        query('DELETE FROM parent WHERE id = -1'),
      );
      client.send(query('SHOW wal_level'), query('SELECT 1/0'));
      return client.untilReady(5);
    }));

  test('makes and drops a slot as directly', () =>
    expectAsDirectly(async (client) => [
      ...(await client.ask(CREATE)),
      ...(await client.ask(query('READ_REPLICATION_SLOT it'))),
      ...(await client.ask(query('DROP_REPLICATION_SLOT it'))),
    ]));

  test('copies in both directions until both have said so, and goes on', async () => {
    await expectAsDirectly(async (client) => {
      const answers = await client.ask(CREATE);
      client.send(query(START));
      answers.push(...(await client.until('W')));
      client.send(statusUpdate());
      await untilCopied(client, (body) => body.toString('latin1', 0, 1) === 'k');
      const writer = await directly.database.connect();
      await writer.query(`INSERT INTO parent VALUES (7); DELETE FROM parent WHERE id = 7`);
      await untilCopied(
        client,
        (body) => body.toString('latin1', 0, 1) === 'w' && body.toString('latin1', 25, 26) === 'C',
      );
      client.send(copyDone);
      const ended = await client.untilReady();
      answers.push(...ended.filter(({ type }) => type !== 'd'));
      return [
        ...answers,
        ...(await client.ask(query('DROP_REPLICATION_SLOT it'))),
        ...(await client.ask(query('IDENTIFY_SYSTEM'))),
      ];
    });
  });

  test('sees a DELETE through the proxy as the rows that went', async () => {
    const client = await directly.connect(logical);
    await client.ask(CREATE);
    client.send(query(START));
    await client.until('W');
    const writer = await directly.connect();
    await writer.ask(query('INSERT INTO parent VALUES (8)'));
    await writer.ask(query('DELETE FROM parent WHERE id = 8'));
    await untilCopied(client, (body) => body.toString('latin1', 25, 26) === 'D');
  });

  test('of a physical standby streams, as directly', async () => {
    const parameters = { replication: 'true' };
    for (const connect of [directly.connectDirect, directly.connect]) {
      const client = await connect({ parameters });
      const [, identity] = await client.told(query('IDENTIFY_SYSTEM'));
      const place = /[0-9A-F]+\/[0-9A-F]+/.exec(identity ?? '')?.[0];
      client.send(query(`START_REPLICATION PHYSICAL ${place}`));
      await client.until('W');
      client.send(statusUpdate());
      await untilCopied(client, (body) => body.toString('latin1', 0, 1) === 'k');
      client.send(copyDone);
      await client.untilReady();
      expect(await client.told(query('SHOW wal_level'))).toContain('D logical');
    }
  });
});
