/** What is said to a client that does not get through its login. */
import type { ErrorKind } from './error-kind.js';

export const LOGIN_ERRORS = {
  PGC_CONNECTIONS: {
    sqlstate: '53300',
    message: 'sorry, too many clients already',
    hint: 'Raise limits.connections, or pool connections in the application.',
  },
  PGC_USER_CONNECTIONS: {
    sqlstate: '53300',
    message: 'too many connections for role "{user}"',
    hint: 'Raise limits.per_user, or pool connections in the application.',
  },
  PGC_DATABASE_CONNECTIONS: {
    sqlstate: '53300',
    message: 'too many connections for database "{database}"',
    hint: 'Raise limits.per_database, or pool connections in the application.',
  },
  PGC_LOGIN_TIMEOUT: {
    sqlstate: '08006',
    message: 'the login took longer than limits.login_timeout',
    hint: 'Check the network, or raise limits.login_timeout.',
  },
  PGC_TLS_HANDSHAKE: {
    sqlstate: '08P01',
    message: 'could not accept TLS connection: {reason}',
    hint: 'Only the log has this error: the client is told by a TLS alert, if at all.',
  },
  PGC_TLS_REQUIRED: {
    sqlstate: '28000',
    message: 'this server takes encrypted connections only',
    hint: 'Connect with sslmode=require, or with sslmode=verify-full to make sure of the server.',
  },
  PGC_CERTIFICATE_MISSING: {
    sqlstate: '28000',
    message: 'connection requires a valid client certificate',
    hint: 'Give one to the client: sslcert and sslkey.',
  },
  PGC_CERTIFICATE_INVALID: {
    sqlstate: '28000',
    message: 'the certificate of the client is not valid: {reason}',
    hint: 'An authority of tls.client_ca has to have signed it, and not to have revoked it (tls.client_crl). Name another with sslcert and sslkey.',
  },
  PGC_NO_USER: {
    sqlstate: '28000',
    message: 'no PostgreSQL user name specified in startup packet',
    native: true,
  },
  PGC_PASSWORD: {
    sqlstate: '28P01',
    message: 'password authentication failed for user "{user}"',
    native: true,
    source: { file: 'auth.c', routine: 'auth_failed' },
  },
  PGC_CERTIFICATE_USER: {
    sqlstate: '28000',
    message: 'certificate authentication failed for user "{user}"',
    native: true,
    source: { file: 'auth.c', routine: 'auth_failed' },
  },
  PGC_SCRAM: {
    sqlstate: '08P01',
    message: '{message}',
    detail: '{detail}',
    native: true,
  },
  PGC_SCRAM_FEATURE: {
    sqlstate: '0A000',
    message: 'client {what}',
    native: true,
  },
  PGC_SCRAM_BINDING: {
    sqlstate: '28000',
    message: '{message}',
    detail: '{detail}',
    native: true,
  },
  PGC_BINDING_RELAYED: {
    sqlstate: '28000',
    message:
      'the login cannot be relayed: SCRAM is bound to one connection, and the client has another than the server',
    hint: 'Set auth.mode to proxy, or have the client bind no login: channel_binding=disable in its connection string.',
  },
  PGC_UPSTREAM_UNREACHABLE: {
    sqlstate: '08001',
    message: 'could not connect to the upstream server {upstream}: {reason}',
    hint: 'Check that the database is up and that `upstream` names it.',
  },
  PGC_UPSTREAM_LOGIN: {
    sqlstate: '08004',
    message: 'could not log in to the upstream server {upstream} as user "{user}": {reason}',
    hint: '{remedy}',
  },
} as const satisfies Record<string, ErrorKind>;
