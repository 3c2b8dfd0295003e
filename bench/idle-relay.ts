/**
 * The least that an idle connection can take in Node: two sockets, and nothing kept of what has gone through them.
 * `fork` it with: UPSTREAM_PORT [CERT KEY], the files of a certificate for TLS on both ways.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, createServer as createTlsServer } from 'node:tls';
import { answerWithMemory } from '../test/support/settled-memory.js';

const [upstreamPort, cert, key] = process.argv.slice(2);
const address = { host: '127.0.0.1', port: Number(upstreamPort), noDelay: true };
const ALPNProtocols = ['postgresql'];
const secureContext = createSecureContext();

const server =
  cert && key
    ? createTlsServer({ cert: readFileSync(cert), key: readFileSync(key), ALPNProtocols }, (client) =>
        relay(client, connectTls({ ...address, secureContext, ALPNProtocols, rejectUnauthorized: false })),
      )
    : createServer({ noDelay: true }, (client) => relay(client, connect(address)));

function relay(client: Socket, upstream: Socket): void {
  client.on('data', (bytes) => upstream.write(bytes)).on('error', () => upstream.destroy());
  upstream.on('data', (bytes) => client.write(bytes)).on('error', () => client.destroy());
}

server.listen(0, '127.0.0.1');
await once(server, 'listening');
answerWithMemory();
process.once('disconnect', () => process.exit());
process.send?.(`127.0.0.1:${(server.address() as AddressInfo).port}`);
