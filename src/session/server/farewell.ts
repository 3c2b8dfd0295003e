/** Tells a client that its connection is over. */
import type { Duplex } from 'node:stream';
import { ProxyError } from '../../errors.js';
import { type ErrorFields, errorResponse, Field } from '../../wire/backend.js';
import { ProtocolViolation } from '../../wire/reader.js';

/** How long a client may take to close its side, in milliseconds. */
const LINGER = 5000;

/** The fields of an error of the proxy's own. @param severity FATAL where the connection ends with it */
export function proxyErrorFields(error: ProxyError, severity: 'ERROR' | 'FATAL' = 'ERROR'): ErrorFields {
  const { detail, hint, source } = error;
  return new Map([
    [Field.severity, severity],
    [Field.severityNonLocalized, severity],
    [Field.code, error.sqlstate],
    [Field.message, error.message],
    ...(detail === undefined ? [] : [[Field.detail, detail] as const]),
    ...(hint === undefined ? [] : [[Field.hint, hint] as const]),
    ...(source
      ? ([
          [Field.file, source.file],
          [Field.routine, source.routine],
        ] as const)
      : []),
  ]);
}

/**
 * The error that a client gets for what ends its connection: bytes that are no message, or a failure of the proxy's own.
 * @param events is told of a failure
 */
export function farewellFor(error: unknown, events: { failed(error: unknown): void }): ProxyError {
  if (error instanceof ProxyError) return error;
  if (error instanceof ProtocolViolation) return new ProxyError('PGC_PROTOCOL', { reason: error.message });
  events.failed(error);
  return new ProxyError('PGC_INTERNAL');
}

/**
 * Closes the connection to the client, after what was written and the error, if there is one. Goes on reading what the client sends: else the
 * operating system would reset the connection, and the client never see the error.
 */
export function sayFarewell(client: Duplex, error?: ProxyError): void {
  if (error && !client.writableEnded) client.write(errorResponse(proxyErrorFields(error, 'FATAL')));
  client.end();
  client.resume();
  const linger = setTimeout(() => client.destroy(), LINGER);
  linger.unref();
  client.once('close', () => clearTimeout(linger));
}
