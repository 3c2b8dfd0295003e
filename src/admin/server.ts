import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { formatAddress, listenOptions, parseAddress } from '../config/address.js';
import { readRefusalOf, refusalOf } from './browsers.js';

/** What a path answers. */
export interface Page {
  readonly status: number;
  /** Its Content-Type. */
  readonly type: string;
  readonly body: string;
}

/** What each path answers to GET and HEAD: it is asked again for each request. */
export type Pages = ReadonlyMap<string, () => Page | Promise<Page>>;

/** What each path does at a POST, and answers then. */
export type Actions = Pages;

/** What an endpoint has, by path. */
export interface Paths {
  /** For everyone, by whatever name they call this host. */
  readonly probes?: Pages;
  /** With names of users and tables, which no page in a browser is to read. */
  readonly reports?: Pages;
  readonly actions?: Actions;
}

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
 * Serves pages over HTTP: 404 for a path that has none, 405 for a method that its path has not, 403 for what a page in a browser
 * may have sent.
 * @param address `host:port`
 * @throws the listening error (EADDRINUSE, …) or ValueError where `address` is not an address.
 */
export async function startAdmin(
  address: string,
  { probes = new Map(), reports = new Map(), actions = new Map() }: Paths,
): Promise<AdminServer> {
  const server = createServer(
    {
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 1000,
    },
    answer({ address, probes, reports, actions }),
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
        // A request is answered within moments, so an open connection is mostly idle or has sent half a request.
        server.closeAllConnections();
      }),
  };
}

interface Served extends Required<Paths> {
  readonly address: string;
}

function answer(served: Served): RequestListener {
  return (request, response) => {
    const found = find(served, request);
    if (found.kind === 'refused') return send(response, found.page);
    if (found.kind === 'not allowed') {
      response.setHeader('Allow', found.allow);
      return send(response, plain(405, 'method not allowed'));
    }
    new Promise<Page>((made) => made(found.make())).then(
      (page) => send(response, page),
      () => send(response, plain(500, 'this page could not be made')),
    );
  };
}

/** What is at a path for a method. `allow`: the methods that are, as the header of this name has them. */
type Found =
  | { readonly kind: 'page'; readonly make: () => Page | Promise<Page> }
  | { readonly kind: 'not allowed'; readonly allow: string }
  | { readonly kind: 'refused'; readonly page: Page };

function find(
  { address, probes, reports, actions }: Served,
  { headers, method, url = '' }: IncomingMessage,
): Found {
  const [path = ''] = url.split('?', 1);
  const [report, action] = [reports.get(path), actions.get(path)];
  const page = report ?? probes.get(path);
  if (!page && !action) return { kind: 'refused', page: plain(404, 'not found') };
  const isPost = method === 'POST';
  const make = isPost ? action : method === 'GET' || method === 'HEAD' ? page : undefined;
  if (!make) {
    const allow = [...(page ? ['GET', 'HEAD'] : []), ...(action ? ['POST'] : [])].join(', ');
    return { kind: 'not allowed', allow };
  }
  const refusal = isPost ? refusalOf(headers, address) : report && readRefusalOf(headers, address);
  return refusal === undefined ? { kind: 'page', make } : { kind: 'refused', page: plain(403, refusal) };
}

/** A page of one line. */
export function plain(status: number, text: string): Page {
  return { status, type: TEXT, body: `${text}\n` };
}

function send(response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  response.end(body);
}
