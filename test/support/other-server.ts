/** A server that speaks the protocol and is no PostgreSQL: it knows a few texts, and answers all others with an error. */
import { onTestFinished } from 'vitest';
import { listen } from './loopback.js';
import { message } from './raw-client.js';

export interface OtherServerOptions {
  /** What it reports at the login. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The one value of a query: what it does not know is a syntax error. */
  readonly knows?: Readonly<Record<string, string>>;
}

export interface OtherServer {
  readonly url: string;
  /** The texts that came. */
  readonly came: readonly string[];
}

const string = (text: string) => Buffer.from(`${text}\0`);
const ready = message('Z', Buffer.from('I'));
const syntaxError = message(
  'E',
  ...['SERROR', 'VERROR', 'C42601', 'Msyntax error, unexpected input', ''].map(string),
);

/** Starts one for a test. A text that begins with DELETE is known to every one. */
export async function startOtherServer({ parameters, knows = {} }: OtherServerOptions): Promise<OtherServer> {
  const came: string[] = [];
  const greeting = () =>
    Buffer.concat([
      message('R', Buffer.alloc(4)),
      ...Object.entries(parameters).map((each) => message('S', ...each.map(string))),
      message('K', Buffer.alloc(8, 1)),
      ready,
    ]);
  const server = await listen((socket) => {
    let bytes = Buffer.alloc(0);
    let started = false;
    let failed = false;
    const answer = (type: string, body: Buffer) => {
      if (type === 'Q') return Buffer.concat([resultOf(body.toString('utf8', 0, body.length - 1)), ready]);
      if (type === 'S') {
        failed = false;
        return ready;
      }
      if (failed || type === 'X' || type === 'H') return Buffer.alloc(0);
      if (type === 'C') return message('3');
      const text =
        type === 'P' ? body.toString('utf8', body.indexOf(0) + 1, body.indexOf(0, body.indexOf(0) + 1)) : '';
      if (type === 'P') came.push(text);
      failed = type !== 'P' || !/^delete/i.test(text);
      return failed ? syntaxError : message('1');
    };
    const resultOf = (text: string) => {
      came.push(text);
      if (/^delete/i.test(text)) return message('C', string('DELETE 1'));
      const value = knows[text];
      if (value === undefined) return syntaxError;
      const size = Buffer.alloc(6);
      size.writeInt16BE(1);
      size.writeInt32BE(Buffer.byteLength(value), 2);
      return Buffer.concat([message('D', size, Buffer.from(value)), message('C', string('SELECT 1'))]);
    };
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const head = started ? 1 : 0;
        if (bytes.length < head + 4 || bytes.length < head + bytes.readUInt32BE(head)) return;
        const end = head + bytes.readUInt32BE(head);
        const body = bytes.subarray(head + 4, end);
        const type = bytes.toString('latin1', 0, head);
        bytes = bytes.subarray(end);
        socket.write(started ? answer(type, body) : greeting());
        started = true;
      }
    });
  });
  onTestFinished(() => server.close());
  return { url: `postgres://${server.host}:${server.port}`, came };
}
