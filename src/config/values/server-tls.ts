/** TLS towards the database, as libpq says it in a URL (https://www.postgresql.org/docs/current/libpq-ssl.html). */
import { quote, ValueError } from './values.js';

/** Under libpq's own names. What is undefined was not said: libpq's default holds. Files are paths. */
export interface ServerTls {
  readonly sslmode: SslMode;
  readonly sslnegotiation?: SslNegotiation | undefined;
  /** The certificates that are trusted; `system`: those of the operating system. */
  readonly sslrootcert?: string | undefined;
  readonly sslcert?: string | undefined;
  readonly sslkey?: string | undefined;
  /** Decrypts the key. A secret. */
  readonly sslpassword?: string | undefined;
  readonly sslcrl?: string | undefined;
  /** False: the server's name is not told in the handshake. */
  readonly sslsni?: boolean | undefined;
  readonly ssl_min_protocol_version?: TlsVersion | undefined;
  readonly ssl_max_protocol_version?: TlsVersion | undefined;
}

export type SslMode = (typeof SSL_MODES)[number];
export type SslNegotiation = (typeof NEGOTIATIONS)[number];
export type TlsVersion = (typeof VERSIONS)[number];

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
const NEGOTIATIONS = ['postgres', 'direct'] as const;
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const STRONG: readonly SslMode[] = ['require', 'verify-ca', 'verify-full'];

/** The parameters of a URL that concern TLS. */
export const TLS_PARAMETERS = [
  'sslmode',
  'sslnegotiation',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslcrl',
  'sslsni',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
] as const;

/**
 * @param parameters those of a URL
 * @throws ValueError for a value that is none, and for two that libpq does not take together (fe-connect.c,
 * pqConnectOptions2)
 */
export function parseServerTls(parameters: ReadonlyMap<string, string>): ServerTls {
  const file = (name: string) => parameters.get(name) || undefined;
  const sslrootcert = file('sslrootcert');
  const isSystem = sslrootcert === 'system';
  const sslmode = oneOf(SSL_MODES, parameters, 'sslmode') ?? (isSystem ? 'verify-full' : 'prefer');
  const sslnegotiation = oneOf(NEGOTIATIONS, parameters, 'sslnegotiation');
  const sslsni = oneOf(['0', '1'] as const, parameters, 'sslsni');
  const least = oneOf(VERSIONS, parameters, 'ssl_min_protocol_version');
  const most = oneOf(VERSIONS, parameters, 'ssl_max_protocol_version');
  if (isSystem && sslmode !== 'verify-full')
    throw new ValueError(`has sslmode=${sslmode}, which is too weak for sslrootcert=system: use verify-full`);
  if (sslnegotiation === 'direct' && !STRONG.includes(sslmode))
    throw new ValueError(
      `has sslmode=${sslmode}, which is too weak for sslnegotiation=direct: use ${STRONG.join(', ')}`,
    );
  if (least && most && VERSIONS.indexOf(least) > VERSIONS.indexOf(most))
    throw new ValueError(`has ${least} as the least version of TLS, and ${most} as the highest`);
  return {
    sslmode,
    sslnegotiation,
    sslrootcert,
    sslcert: file('sslcert'),
    sslkey: file('sslkey'),
    sslpassword: file('sslpassword'),
    sslcrl: file('sslcrl'),
    sslsni: sslsni === undefined ? undefined : sslsni === '1',
    ssl_min_protocol_version: least,
    ssl_max_protocol_version: most,
  };
}

/** @throws ValueError for a value that is none of them; undefined where the parameter is empty or not there */
export function oneOf<T extends string>(
  values: readonly T[],
  parameters: ReadonlyMap<string, string>,
  name: string,
): T | undefined {
  const text = parameters.get(name) ?? '';
  const found = values.find((value) => value === text);
  if (text !== '' && found === undefined)
    throw new ValueError(`has ${name} ${quote(text)}, which is not one of ${values.join(', ')}`);
  return found;
}
