/**
 * A gate before PostgreSQL, which makes it refuse what another database refuses. A text that a rule refuses is replaced by one that
 * PostgreSQL refuses, and the words of that error by those of the rule: so order, skipping to Sync and transactions stay PostgreSQL's.
 */
import { connect, type Socket } from 'node:net';
import { parse, parserReady } from '../../src/sql/parser/parser.js';
import { type Loopback, listen } from '../support/loopback.js';
import { message } from '../support/raw-client.js';
import type { Rule } from './rules.js';

export interface GateOptions {
  readonly rules: readonly Rule[];
  /** What it reports in place of PostgreSQL's parameters, or beside them. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** What it answers to the question for version(), where that is not PostgreSQL's answer. */
  readonly version?: string;
  /** BEGIN, COMMIT, ROLLBACK and REFRESH TABLE are accepted and ignored; after BEGIN the status byte says that a transaction is open. */
  readonly ignoresTransactions?: boolean;
  /** It takes `DELETE t`: PostgreSQL is sent `DELETE FROM t`. */
  readonly deletesWithoutFrom?: boolean;
}

export interface Gate extends Loopback {
  /** The texts that were refused. */
  readonly refused: readonly string[];
}

const VERSION = 'SELECT pg_catalog.version()';
/** Statements that do nothing here, and whose tags no client asks for. */
const IGNORED = [
  { begins: /^\s*begin\b/i, sent: 'UNLISTEN gate', tag: 'UNLISTEN', told: 'BEGIN', status: 'T' },
  { begins: /^\s*commit\b/i, sent: 'DISCARD PLANS', tag: 'DISCARD PLANS', told: 'COMMIT', status: 'I' },
  {
    begins: /^\s*rollback\b/i,
    sent: 'DISCARD SEQUENCES',
    tag: 'DISCARD SEQUENCES',
    told: 'ROLLBACK',
    status: 'I',
  },
  // CrateDB's, whose reads do not see what was written just before.
  {
    begins: /^\s*refresh table\b/i,
    sent: 'DISCARD TEMP',
    tag: 'DISCARD TEMP',
    told: 'REFRESH 1',
    status: undefined,
  },
];

/** @param upstream where PostgreSQL is */
export async function startGate(
  upstream: { readonly host: string; readonly port: number },
  options: GateOptions,
): Promise<Gate> {
  await parserReady();
  const refused: string[] = [];
  const listening = await listen((client) => {
    const database = connect({ ...upstream, noDelay: true }).on('error', () => {});
    const session = new GateSession(options, refused);
    relay(client, database, true, (type, body) => session.fromClient(type, body));
    relay(database, client, false, (type, body) => session.fromServer(type, body));
  });
  return { ...listening, refused };
}

/** Gives each message to `change`, and what comes of it to the other side. The startup packet has no type. */
function relay(
  from: Socket,
  to: Socket,
  hasStartup: boolean,
  change: (type: string, body: Buffer) => Buffer,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  let head = hasStartup ? 0 : 1;
  from.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= head + 4) {
      const end = head + bytes.readUInt32BE(head);
      if (bytes.length < end) return;
      const [type, body] = [bytes.toString('latin1', 0, head), bytes.subarray(head + 4, end)];
      const isStartup = head === 0;
      // There is no TLS before this gate.
      if (isStartup && body.length === 4) from.write('N');
      else {
        to.write(isStartup ? bytes.subarray(0, end) : change(type, body));
        head = 1;
      }
      bytes = bytes.subarray(end);
    }
  });
  from.on('close', () => to.destroy());
}

class GateSession {
  readonly #options: GateOptions;
  readonly #refused: string[];
  #hasReported = false;
  /** The status byte that it lies with. */
  #status: string | undefined;

  constructor(options: GateOptions, refused: string[]) {
    this.#options = options;
    this.#refused = refused;
  }

  fromClient(type: string, body: Buffer): Buffer {
    if (type !== 'Q' && type !== 'P') return message(type, body);
    const start = type === 'Q' ? 0 : body.indexOf(0) + 1;
    const end = body.indexOf(0, start);
    const sent = this.#sentFor(this.#withFrom(body.toString('utf8', start, end)));
    return message(type, body.subarray(0, start), Buffer.from(sent), body.subarray(end));
  }

  #withFrom(sql: string): string {
    const { deletesWithoutFrom } = this.#options;
    return deletesWithoutFrom ? sql.replace(/^delete (?!from\b|top\b)/i, 'DELETE FROM ') : sql;
  }

  #sentFor(sql: string): string {
    const { ignoresTransactions, rules, version } = this.#options;
    if (version !== undefined && sql === VERSION) return `SELECT '${version}'::text AS version`;
    const ignored = ignoresTransactions ? IGNORED.find(({ begins }) => begins.test(sql)) : undefined;
    if (ignored) return ignored.sent;
    const parsed = treesOf(sql);
    const number = rules.findIndex((rule) => parsed.some((tree) => rule.refuses(tree)));
    if (number < 0) return sql;
    this.#refused.push(sql);
    return `SELECT "gate ${number}"`;
  }

  fromServer(type: string, body: Buffer): Buffer {
    switch (type) {
      case 'S':
        return this.#reported(body);
      case 'E':
        return this.#error(body);
      case 'C':
        return this.#completed(body);
      case 'Z':
        return message('Z', this.#status === undefined ? body : Buffer.from(this.#status));
      default:
        return message(type, body);
    }
  }

  #reported(body: Buffer): Buffer {
    const { parameters = {} } = this.#options;
    const [name = ''] = body.toString('utf8').split('\0');
    const own = this.#hasReported ? [] : Object.entries(parameters).map((each) => report(...each));
    this.#hasReported = true;
    return Buffer.concat([...own, ...(name in parameters ? [] : [message('S', body)])]);
  }

  #error(body: Buffer): Buffer {
    const [, number] = /Mcolumn "gate (\d+)" does not exist\0/.exec(body.toString('utf8')) ?? [];
    const rule = number === undefined ? undefined : this.#options.rules[Number(number)];
    if (rule === undefined) return message('E', body);
    const fields = ['SERROR', 'VERROR', `C${rule.sqlstate}`, `M${rule.words}`, ''];
    return message('E', Buffer.from(fields.map((field) => `${field}\0`).join('')));
  }

  #completed(body: Buffer): Buffer {
    const ignored = IGNORED.find(({ tag }) => `${tag}\0` === body.toString('latin1'));
    if (!this.#options.ignoresTransactions || ignored === undefined) return message('C', body);
    this.#status = ignored.status ?? this.#status;
    return message('C', Buffer.from(`${ignored.told}\0`));
  }
}

/** What PostgreSQL refuses it refuses by itself. */
function treesOf(sql: string) {
  try {
    return parse(sql)?.map(({ tree }) => tree) ?? [];
  } catch {
    return [];
  }
}

function report(name: string, value: string): Buffer {
  return message('S', Buffer.from(`${name}\0${value}\0`));
}

/**
 * Has a transaction fail that changes more rows than that, with 54000, also inside of a cascade of the server's own.
 * @param tables those that are watched
 */
export function rowLimit(rows: number, tables: readonly string[]): readonly string[] {
  const events = ['INSERT', 'UPDATE', 'DELETE'];
  return [
    `CREATE FUNCTION gate_limit() RETURNS trigger LANGUAGE plpgsql AS $$
     DECLARE changed bigint := (SELECT count(*) FROM changed) + coalesce(nullif(current_setting('gate.rows', true), ''), '0')::bigint;
     BEGIN
       IF changed > ${rows} THEN RAISE EXCEPTION 'transaction row limit exceeded' USING ERRCODE = '54000'; END IF;
       PERFORM set_config('gate.rows', changed::text, true);
       RETURN NULL;
     END $$`,
    ...tables.flatMap((table) =>
      events.map(
        (event) => `CREATE TRIGGER gate_${event.toLowerCase()} AFTER ${event} ON ${table}
          REFERENCING ${event === 'DELETE' ? 'OLD' : 'NEW'} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION gate_limit()`,
      ),
    ),
  ];
}
