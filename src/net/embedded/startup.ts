import { randomBytes } from 'node:crypto';
import { cString, int32, message } from './bytes.js';
import { Fatal } from './fatal.js';

const PROTOCOL_3_0 = 0x30000;
/** PostgreSQL 18's newest. */
const PROTOCOL_3_2 = 0x30002;

/** What a client asked for in its startup packet. */
export interface StartupRequest {
  /** The protocol version that the client gets. */
  readonly version: number;
  /** NegotiateProtocolVersion, where PostgreSQL sends one; empty otherwise. */
  readonly negotiation: Buffer;
  /** The settings that the client asks for, in the order in which PostgreSQL applies them. */
  readonly settings: readonly (readonly [string, string])[];
}

/**
 * @param packet the whole startup packet
 * @throws Fatal as PostgreSQL's ProcessStartupPacket and process_startup_options refuse (backend_startup.c, postinit.c)
 */
export function readRequest(packet: Buffer, parameters: ReadonlyMap<string, string>): StartupRequest {
  const requested = packet.readUInt32BE(4);
  if (packet.at(-1) !== 0 || (parameters.size > 0 && packet.at(-2) !== 0))
    throw Fatal.of('08P01', 'invalid startup packet layout: expected terminator as last byte');
  if (!parameters.get('user')) throw Fatal.of('28000', 'no PostgreSQL user name specified in startup packet');
  const replication = parameters.get('replication') ?? 'false';
  if (!/^(f|false|n|no|of|off|0)$/i.test(replication))
    throw Fatal.of('0A000', 'the embedded database has no replication');

  const unknown = [...parameters.keys()].filter((name) => name.startsWith('_pq_.'));
  const version = Math.min(requested, PROTOCOL_3_2);
  const negotiation =
    version === requested && unknown.length === 0
      ? Buffer.alloc(0)
      : message('v', int32(version), int32(unknown.length), ...unknown.map(cString));
  const settings = [...parameters].filter(
    ([name]) => !['user', 'database', 'options', 'replication'].includes(name) && !name.startsWith('_pq_.'),
  );
  return { version, negotiation, settings: [...readOptions(parameters.get('options') ?? ''), ...settings] };
}

/** The error about a protocol version that is not 3. */
export function unsupportedProtocol(version: number): Fatal {
  const asked = `${version >>> 16}.${version & 0xffff}`;
  return Fatal.of('0A000', `unsupported frontend protocol ${asked}: server supports 3.0 to 3.2`);
}

/**
 * AuthenticationOk to ReadyForQuery.
 * @param processId what pg_backend_pid() says
 * @param parameters name and value of each ParameterStatus
 */
export function startupReply(
  request: StartupRequest,
  processId: number,
  parameters: readonly (readonly (Buffer | null)[])[],
): Buffer {
  const end = Buffer.from([0]);
  const statuses = parameters.map(([name, value]) =>
    message('S', name ?? Buffer.alloc(0), end, value ?? Buffer.alloc(0), end),
  );
  // The key is for cancel requests, which have no effect here: a statement in PGlite cannot be interrupted.
  const key = randomBytes(request.version < PROTOCOL_3_2 ? 4 : 32);
  return Buffer.concat([
    request.negotiation,
    message('R', int32(0)),
    ...statuses,
    message('K', int32(processId), key),
    message('Z', Buffer.from('I')),
  ]);
}

export function startupPacket(parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [cString(name), cString(value)]);
  const body = Buffer.concat([int32(PROTOCOL_3_0), ...pairs, Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

/**
 * The settings in `options`: `-c name=value`, `-cname=value` or `--name=value`, separated by blanks, of which a backslash
 * makes ordinary characters (pg_split_opts in postinit.c).
 */
function readOptions(options: string): [string, string][] {
  const words = (options.match(/(?:\\[\s\S]|[^\s\\])+/g) ?? []).map((word) =>
    word.replace(/\\([\s\S])/g, '$1'),
  );
  const settings: [string, string][] = [];
  for (let i = 0; i < words.length; i++) {
    let word = words[i] ?? '';
    if (word === '-c') word = `-c${words[++i] ?? ''}`;
    const [, name, value] = /^(?:-c|--)([^=]+)=([\s\S]*)$/.exec(word) ?? [];
    if (name === undefined || value === undefined)
      throw Fatal.of('42601', `invalid command-line argument for server process: ${word}`);
    // As on a command line, where dashes are easier to type than underscores (ParseLongOption in guc.c).
    settings.push([name.replaceAll('-', '_'), value]);
  }
  return settings;
}
