/** A connection to the server encrypted, as libpq does it (protocol-flow.html#PROTOCOL-FLOW-SSL). */
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import type { ServerTls } from '../config/values/server-tls.js';
import { SSL_REQUEST } from '../wire/startup.js';
import { sharedContext } from './context-cache.js';
import { readCredentials } from './server-credentials.js';

/** The name of the protocol in a handshake (ALPN). */
const PROTOCOL = 'postgresql';
const [SUPPORTED, UNSUPPORTED] = [0x53, 0x4e];

/** The server does not encrypt, or refuses to say. */
export class ServerWithoutTls extends Error {}

/**
 * Asks the server for TLS, unless it is begun directly.
 * @throws ServerWithoutTls where the server says no
 * @throws an Error for any other answer, also where bytes come after it that are not encrypted (CVE-2021-23222)
 */
export async function requestTls(socket: Socket, { sslnegotiation }: ServerTls): Promise<void> {
  if (sslnegotiation === 'direct') return;
  socket.write(SSL_REQUEST);
  const answer = await firstBytes(socket);
  if (answer.length > 1) throw new Error('received unencrypted data after SSL response');
  if (answer[0] === SUPPORTED) return;
  // An error that came before TLS may be anybody's: its text is not passed on (CVE-2024-10977).
  throw answer[0] === UNSUPPORTED
    ? new ServerWithoutTls('server does not support SSL, but SSL was required')
    : new Error('server sent an error response during SSL exchange');
}

/**
 * Reads the files of TLS towards the server, as each connection does.
 * @throws an Error that says what is the matter with them
 */
export async function readTlsFiles(
  tls: ServerTls,
): Promise<{ readonly secureContext: SecureContext; readonly isVerified: boolean }> {
  const credentials = await readCredentials(tls);
  const secureContext = sharedContext({
    ...credentials,
    minVersion: tls.ssl_min_protocol_version ?? 'TLSv1.2',
    ...(tls.ssl_max_protocol_version && { maxVersion: tls.ssl_max_protocol_version }),
  });
  return { secureContext, isVerified: credentials.ca !== undefined };
}

/**
 * Encrypts a connection, and verifies the server's certificate as far as `tls` wants it.
 * @param files what `readTlsFiles` gives, which may have been begun before
 * @throws an Error that says why that cannot be
 */
export async function encrypt(
  socket: Socket,
  host: string,
  tls: ServerTls,
  files: ReturnType<typeof readTlsFiles>,
): Promise<TLSSocket> {
  const { secureContext, isVerified } = await files;
  if (socket.destroyed) throw new Error('the connection was closed before the TLS handshake');
  const isNamed = isIP(host) === 0 && tls.sslsni !== false;
  const secure = connectTls({
    socket,
    secureContext,
    ...(isNamed && { servername: host }),
    ALPNProtocols: [PROTOCOL],
    rejectUnauthorized: isVerified,
    checkServerIdentity: (_, certificate) =>
      tls.sslmode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
  });
  // Until somebody reads the answer to the startup packet nobody else listens to them.
  secure.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) =>
      reject(new Error(`the TLS handshake failed: ${error.message}`, { cause: error }));
    const closed = () => failed(new Error('the server closed the connection'));
    secure.once('error', failed).once('close', closed);
    secure.once('secureConnect', () => {
      secure.off('error', failed).off('close', closed);
      resolve();
    });
  });
  if (tls.sslnegotiation === 'direct' && secure.alpnProtocol !== PROTOCOL) {
    secure.destroy();
    throw new Error('direct SSL connection was established without ALPN protocol negotiation extension');
  }
  return secure;
}

/**
 * What has come first, and at once. The stream is left as it was: not flowing, and not paused.
 * @throws where the connection ends before anything comes
 */
function firstBytes(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      socket.off('readable', came).off('error', failed).off('close', closed);
      settled();
    };
    const came = () => {
      const bytes: Buffer | null = socket.read();
      if (bytes !== null) settle(() => resolve(bytes));
    };
    const failed = (error: Error) => settle(() => reject(error));
    const closed = () =>
      settle(() => reject(new Error('server closed the connection during the SSL exchange')));
    socket.on('readable', came).once('error', failed).once('close', closed);
  });
}
