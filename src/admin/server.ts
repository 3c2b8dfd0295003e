import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { formatAddress, listenOptions, parseAddress } from '../config/address.js';

/** What a path answers. */
export interface Page {
  readonly status: number;
  /** Its Content-Type. */
  readonly type: string;
  readonly body: string;
}

/** What each path answers to GET and HEAD: it is asked again for each request. */
export type Pages = ReadonlyMap<string, () => Page | Promise<Page>>;

/** A running endpoint. */
export interface AdminServer {
  /** `host:port`, with the port that the system chose where 0 was asked for. */
  readonly address: string;
  /** Stops listening and ends all connections. */
  close(): Promise<void>;
}

export const TEXT = 'text/plain; charset=utf-8';
export const JSON_TYPE = 'application/json; charset=utf-8';

const REQUEST_TIMEOUT_MS = 5000;

/**
 * Serves pages over HTTP: 404 for a path that has none, 405 for a method that only reads nothing.
 * @param address `host:port`
 * @throws the listening error (EADDRINUSE, …) or ValueError where `address` is not an address.
 */
export async function startAdmin(address: string, pages: Pages): Promise<AdminServer> {
  const server = createServer(
    {
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    },
    answer(pages),
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
        // A request is answered within moments, so an open connection is idle or has sent half a request.
        server.closeAllConnections();
      }),
  };
}

function answer(pages: Pages): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    const page = path === undefined ? undefined : pages.get(path);
    if (!page) return send(response, plain(404, 'not found'));
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return send(response, plain(405, 'method not allowed'));
    }
    Promise.resolve(page()).then(
      (found) => send(response, found),
      () => send(response, plain(500, 'this page could not be made')),
    );
  };
}

/** A page of one line. */
export function plain(status: number, text: string): Page {
  return { status, type: TEXT, body: `${text}\n` };
}

function send(response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  response.end(body);
}
