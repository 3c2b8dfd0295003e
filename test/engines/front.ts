/**
 * PostgreSQL's protocol before an engine that has no server: as small as a vendor's own. It knows no types but text, describes a
 * statement by executing it, and says in ReadyForQuery what the client has last said of transactions.
 */
import type { Socket } from 'node:net';
import { type Loopback, listen } from '../support/loopback.js';
import { message } from '../support/raw-client.js';
import { EngineError, type EngineResult, type EngineSession } from './engine.js';

export interface FrontOptions {
  /** What it reports at the login. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly open: () => Promise<EngineSession>;
}

export interface Front extends Loopback {
  /** The texts that came, one for each time that it was executed or parsed. */
  readonly came: readonly string[];
}

const SSL_REQUEST = 80877103;
const TEXT = 25;
/** Bytes: whoever sends more in one message is not a test. */
const LONGEST = 16 * 1024 * 1024;

export async function startFront({ parameters, open }: FrontOptions): Promise<Front> {
  const came: string[] = [];
  const failures: unknown[] = [];
  const listening = await listen((socket) => {
    new FrontSession(socket, parameters, came).serve(open).catch((error: unknown) => {
      failures.push(error);
      socket.destroy();
    });
  });
  return {
    ...listening,
    came,
    async close() {
      await listening.close();
      if (failures.length > 0) throw failures[0];
    },
  };
}

interface Portal {
  readonly sql: string;
  readonly values: readonly (string | null)[];
  result: EngineResult | undefined;
}

class FrontSession {
  readonly #socket: Socket;
  readonly #parameters: FrontOptions['parameters'];
  readonly #came: string[];
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, Portal>();
  /** A message of the extended protocol has failed: the rest is skipped up to Sync. */
  #skips = false;
  #status = 'I';

  constructor(socket: Socket, parameters: FrontOptions['parameters'], came: string[]) {
    this.#socket = socket;
    this.#parameters = parameters;
    this.#came = came;
  }

  async serve(open: FrontOptions['open']): Promise<void> {
    const engine = await open();
    let bytes: Buffer = Buffer.alloc(0);
    let isStarted = false;
    try {
      for await (const chunk of this.#socket) {
        bytes = Buffer.concat([bytes, chunk as Buffer]);
        for (;;) {
          const head = isStarted ? 1 : 0;
          const size = bytes.length < head + 4 ? Number.POSITIVE_INFINITY : bytes.readUInt32BE(head);
          if (size !== Number.POSITIVE_INFINITY && size > LONGEST)
            throw new Error(`a message of ${size} bytes`);
          if (bytes.length < head + size) break;
          const body = bytes.subarray(head + 4, head + size);
          const type = bytes.toString('latin1', 0, head);
          bytes = bytes.subarray(head + size);
          if (type === 'X') return;
          if (isStarted) await this.#take(type, body, engine);
          else isStarted = this.#start(body);
        }
      }
    } finally {
      engine.close();
      this.#socket.end();
    }
  }

  /** @returns whether it was the startup packet, and no request for TLS */
  #start(body: Buffer): boolean {
    if (body.readUInt32BE(0) === SSL_REQUEST) {
      this.#socket.write('N');
      return false;
    }
    const reports = Object.entries(this.#parameters).map((each) => message('S', ...each.map(text)));
    this.#send(message('R', Buffer.alloc(4)), ...reports, message('K', Buffer.alloc(8, 1)), this.#ready());
    return true;
  }

  async #take(type: string, body: Buffer, engine: EngineSession): Promise<void> {
    if (type === 'S') {
      this.#skips = false;
      return this.#send(this.#ready());
    }
    if (this.#skips || type === 'H') return;
    try {
      if (type === 'Q') await this.#query(stringAt(body, 0), engine);
      else this.#send(...(await this.#extended(type, body, engine)));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#skips = type !== 'Q';
      this.#send(errorOf(error));
    }
    if (type === 'Q') this.#send(this.#ready());
  }

  async #query(sql: string, engine: EngineSession): Promise<void> {
    this.#came.push(sql);
    const result = await this.#execute({ sql, values: [], result: undefined }, engine);
    if (result.columns) this.#send(rowDescription(result.columns));
    this.#send(...rowsOf(result), message('C', text(tagOf(sql, result))));
  }

  async #extended(type: string, body: Buffer, engine: EngineSession): Promise<readonly Buffer[]> {
    const first = stringAt(body, 0);
    switch (type) {
      case 'P': {
        const sql = stringAt(body, Buffer.byteLength(first) + 1);
        this.#came.push(sql);
        this.#statements.set(first, sql);
        return [message('1')];
      }
      case 'B':
        this.#portals.set(first, portalOf(body, Buffer.byteLength(first) + 1, this.#statements));
        return [message('2')];
      case 'D': {
        const name = stringAt(body, 1);
        if (body.toString('latin1', 0, 1) === 'S')
          return describedStatement(this.#statements.get(name) ?? '');
        const portal = this.#portal(name);
        portal.result = await this.#execute(portal, engine);
        return [portal.result.columns ? rowDescription(portal.result.columns) : message('n')];
      }
      case 'E': {
        const portal = this.#portal(first);
        const result = portal.result ?? (await this.#execute(portal, engine));
        portal.result = undefined;
        return [...rowsOf(result), message('C', text(tagOf(portal.sql, result)))];
      }
      case 'C':
        (body.toString('latin1', 0, 1) === 'S' ? this.#statements : this.#portals).delete(stringAt(body, 1));
        return [message('3')];
      default:
        throw new EngineError('0A000', `this front takes no message of type ${type}`);
    }
  }

  #portal(name: string): Portal {
    const portal = this.#portals.get(name);
    if (portal === undefined) throw new EngineError('34000', `portal "${name}" does not exist`);
    return portal;
  }

  async #execute({ sql, values }: Portal, engine: EngineSession): Promise<EngineResult> {
    const result = await engine.execute(sql, values);
    if (/^\s*(?:begin|start)\b/i.test(sql)) this.#status = 'T';
    if (/^\s*(?:commit|rollback|end|abort)\b/i.test(sql)) this.#status = 'I';
    return result;
  }

  #ready(): Buffer {
    return message('Z', Buffer.from(this.#status));
  }

  #send(...messages: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(messages));
  }
}

const text = (value: string) => Buffer.from(`${value}\0`);
const int16 = (value: number) => Buffer.from([(value >> 8) & 255, value & 255]);
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

function stringAt(body: Buffer, start: number): string {
  return body.toString('utf8', start, body.indexOf(0, start));
}

function portalOf(body: Buffer, start: number, statements: ReadonlyMap<string, string>): Portal {
  const name = stringAt(body, start);
  const sql = statements.get(name);
  if (sql === undefined) throw new EngineError('26000', `prepared statement "${name}" does not exist`);
  let at = start + Buffer.byteLength(name) + 1;
  at += 2 + 2 * body.readInt16BE(at);
  const count = body.readInt16BE(at);
  at += 2;
  const values = Array.from({ length: count }, () => {
    const size = body.readInt32BE(at);
    at += 4;
    if (size < 0) return null;
    at += size;
    return body.toString('utf8', at - size, at);
  });
  return { sql, values, result: undefined };
}

/** Its parameters are texts. What it returns is not known before it is executed. */
function describedStatement(sql: string): readonly Buffer[] {
  const count = Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  return [message('t', int16(count), ...Array.from({ length: count }, () => int32(TEXT))), message('n')];
}

function rowDescription(columns: readonly string[]): Buffer {
  const fields = columns.map((name) =>
    Buffer.concat([text(name), int32(0), int16(0), int32(TEXT), int16(-1), int32(-1), int16(0)]),
  );
  return message('T', int16(columns.length), ...fields);
}

function rowsOf({ rows }: EngineResult): readonly Buffer[] {
  return rows.map((row) => {
    const values = row.map((value) =>
      value === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
    );
    return message('D', int16(row.length), ...values);
  });
}

function tagOf(sql: string, { changed, rows }: EngineResult): string {
  const [, word = ''] = /^\s*(\w+)/.exec(sql) ?? [];
  const command = word.toUpperCase();
  if (command === 'SELECT' || command === 'WITH') return `SELECT ${rows.length}`;
  const count = rows.length > 0 ? rows.length : changed;
  if (command === 'INSERT') return `INSERT 0 ${count}`;
  return command === 'UPDATE' || command === 'DELETE' ? `${command} ${count}` : command;
}

function errorOf({ sqlstate, message: words }: EngineError): Buffer {
  return message('E', ...['SERROR', 'VERROR', `C${sqlstate}`, `M${words}`, ''].map(text));
}
