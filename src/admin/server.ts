import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { formatAddress, listenOptions, parseAddress } from '../config/address.js';

/**
 * What probes ask about: the proxy alone, not the database. Were readiness tied to the database, a database that is down
 * would take every instance out of service, and clients would no longer get the clear error of the proxy.
 */
export interface AdminState {
  /** Whether the start is over. */
  started(): boolean;
  /** Whether a new client would be served: listening, not draining, not full. The reason says which. */
  ready(): { readonly ok: boolean; readonly reason: string };
}

/** A running endpoint. */
export interface AdminServer {
  /** `host:port`, with the port that the system chose where 0 was asked for. */
  readonly address: string;
  /** Stops listening and ends all connections. */
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 5000;

/**
 * Serves /startup, /liveness and /readiness for probes: 200 or 503, with the reason as text.
 * @param address `host:port`
 * @throws the listening error (EADDRINUSE, …) or ValueError where `address` is not an address.
 */
export async function startAdmin(address: string, state: AdminState): Promise<AdminServer> {
  const server = createServer(
    {
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    },
    answer(state),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenOptions(parseAddress(address)), () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  return {
    address:
      typeof bound === 'object' && bound ? formatAddress({ host: bound.address, port: bound.port }) : address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Every request is answered at once, so each open connection is idle or has sent half a request.
        server.closeAllConnections();
      }),
  };
}

function answer(state: AdminState): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    const probe = path === undefined ? undefined : probes(state).get(path);
    if (!probe) return send(response, 404, 'not found');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return send(response, 405, 'method not allowed');
    }
    const { ok, reason } = probe();
    send(response, ok ? 200 : 503, reason);
  };
}

function probes(state: AdminState) {
  const started = () => ({ ok: state.started(), reason: state.started() ? 'started' : 'starting' });
  return new Map([
    ['/startup', started],
    // A process that answers is alive.
    ['/liveness', () => ({ ok: true, reason: 'alive' })],
    ['/readiness', () => (state.started() ? state.ready() : started())],
  ]);
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${text}\n`);
}
