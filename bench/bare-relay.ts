/**
 * The least that a relay in Node can do, as a yardstick: bytes in, bytes out, nothing read.
 * Usage: node bare-relay.js LISTEN_PORT UPSTREAM_HOST UPSTREAM_PORT
 */
import { connect, createServer } from 'node:net';

const [listenPort, upstreamHost, upstreamPort] = process.argv.slice(2);

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host: upstreamHost, port: Number(upstreamPort), noDelay: true });
  client.pipe(upstream);
  upstream.pipe(client);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
});

server.listen(Number(listenPort), '127.0.0.1', () => console.log('listening'));
