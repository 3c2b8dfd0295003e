/** What an idle client leaves in the memory of JavaScript. What the process takes for it besides, `npm run bench -- idle` prints. */
import { expect, inject, onTestFinished, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { query } from '../support/frontend-messages.js';
import { ProxyProgram } from '../support/proxy-program.js';
import { RawClient } from '../support/raw-client.js';
import { LOOKED_AT, type Memory } from '../support/settled-memory.js';

const database = useDatabase();

/** Before the first look, for what all share; and between the looks. */
const [FIRST, IDLE] = [10, 60];
/** Node.js takes about 3 KB of it for its two sockets; twice as many were taken when each part of a session had an object of its own. */
const MOST = 18 * 1024;

test(`an idle client that has asked something takes at most ${MOST} bytes of JavaScript's memory`, async () => {
  const proxy = await ProxyProgram.start(inject('postgres'), {}, { node: [...LOOKED_AT, ...answering()] });
  onTestFinished(() => proxy.kill());
  const clients: RawClient[] = [];
  onTestFinished(() => {
    for (const { socket } of clients) socket.destroy();
  });
  const connect = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const client = await RawClient.login(
        { host: '127.0.0.1', port: proxy.port },
        { database: database.name },
      );
      clients.push(client);
      client.send(query('SELECT 1'));
      await client.until('Z');
    }
    return ((await proxy.process.ask('memory')) as Memory).used;
  };
  const before = await connect(FIRST);
  expect(((await connect(IDLE)) - before) / IDLE).toBeLessThan(MOST);
});

function answering(): string[] {
  return ['../support/typescript.js', '../load/answers-with-memory.ts'].flatMap((file) => [
    '--import',
    new URL(file, import.meta.url).href,
  ]);
}
