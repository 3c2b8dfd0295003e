/** What the documentation of each client promises of its sslmode, and in which words it refuses to go on. */
import type { ClientName, SslMode } from './rows.js';

/** One attempt: with TLS, or in clear. */
export type Way = 'tls' | 'clear';

export interface Driver {
  /** The attempts of each sslmode, in order: a later one follows where the server refused the one before. Undefined: it has no such mode. */
  readonly ways: Readonly<Record<SslMode, readonly Way[] | undefined>>;
  /** Which refusals of the server's have another attempt follow, by SQLSTATE. What the client itself finds wrong ends it. */
  readonly goesOnAfter: RegExp;
  /** Of two attempts, whose error the user sees. */
  readonly shows: 'first' | 'last';
  /** Modes that go on in clear, on the same connection, where the server has no TLS. */
  readonly goesOnWithoutTls: readonly SslMode[];
  /** What channel binding is where a row wants it, and where it does not. */
  readonly binding: Readonly<Record<'wanted' | 'usual', 'require' | 'prefer' | 'never' | undefined>>;
  /** Whether one that prefers channel binding says in clear too that no server has offered it: of a proxy that hides the offer this is told. */
  readonly missesOfferInClear?: boolean;
  readonly says: Readonly<Record<'noTls' | 'misnamed', RegExp>>;
}

const SIX_MODES: Driver['ways'] = {
  disable: ['clear'],
  allow: ['clear', 'tls'],
  prefer: ['tls', 'clear'],
  require: ['tls'],
  'verify-ca': ['tls'],
  'verify-full': ['tls'],
};

/**
 * https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNECT-SSLMODE: "first try a non-SSL connection; if that fails, try
 * an SSL connection", and the other way round. There libpq differs from its documentation: what fails in libpq itself, as channel
 * binding that is required and cannot be, ends the attempt and is not tried the other way (PQconnectPoll in fe-connect.c goes to
 * error_return; only an ErrorResponse of the server leads to need_new_connection).
 */
const LIBPQ: Driver = {
  ways: SIX_MODES,
  goesOnAfter: /./,
  shows: 'last',
  goesOnWithoutTls: ['allow', 'prefer'],
  binding: { wanted: 'require', usual: 'prefer' },
  says: {
    noTls: /server does not support SSL, but SSL was required/,
    misnamed: /server certificate for "elsewhere" does not match host name "localhost"/,
  },
};

export const DRIVERS: Readonly<Record<ClientName, Driver>> = {
  psql: LIBPQ,
  psycopg: LIBPQ,
  /**
   * https://node-postgres.com/features/ssl and pg-connection-string's README, with uselibpqcompat=true: there is no allow, and prefer
   * is TLS without looking at the certificate: no second attempt. enableChannelBinding is libpq's prefer; it is off unless told.
   * libpq misses an offer on a connection with TLS only; pg/lib/crypto/sasl.js looks whether there is a stream, which is always so.
   */
  'node-postgres': {
    ways: { ...SIX_MODES, allow: undefined, prefer: ['tls'] },
    goesOnAfter: /./,
    shows: 'last',
    goesOnWithoutTls: [],
    binding: { wanted: 'prefer', usual: 'never' },
    missesOfferInClear: true,
    says: {
      noTls: /The server does not support SSL connections/,
      misnamed: /Hostname\/IP does not match certificate's altnames/,
    },
  },
  /**
   * https://jdbc.postgresql.org/documentation/ssl/: allow and prefer as libpq's. The second attempt follows an SQLSTATE 28000 only, and
   * where it fails too, the first error is thrown (ConnectionFactoryImpl). The second attempt of allow is require. No channel binding in 42.5.
   */
  pgjdbc: {
    ways: SIX_MODES,
    goesOnAfter: /^28000$/,
    shows: 'first',
    goesOnWithoutTls: ['prefer'],
    binding: { wanted: undefined, usual: 'never' },
    says: {
      noTls: /The server does not support SSL/,
      misnamed: /The hostname localhost could not be verified/,
    },
  },
  /**
   * https://magicstack.github.io/asyncpg/current/api/index.html: modes as libpq's. The second attempt follows an error of class 28 only
   * (InvalidAuthorizationSpecificationError); that of allow needs TLS. No channel binding in 0.27.
   */
  asyncpg: {
    ways: SIX_MODES,
    goesOnAfter: /^28/,
    shows: 'last',
    goesOnWithoutTls: ['prefer'],
    binding: { wanted: undefined, usual: 'never' },
    says: {
      noTls: /rejected SSL upgrade/,
      misnamed: /Hostname mismatch, certificate is not valid for 'localhost'/,
    },
  },
};

/** Why a driver has no such row, by name; undefined where it has. */
export function missingIn(client: ClientName, sslmode: SslMode, wantsBinding: boolean): string | undefined {
  const { ways, binding } = DRIVERS[client];
  if (!ways[sslmode]) return `${client} has no sslmode=${sslmode}`;
  if (wantsBinding && !binding.wanted) return `${client} has no channel binding`;
  return undefined;
}
