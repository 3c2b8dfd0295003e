/** Keeps pages in a browser from the port: the browser of somebody who can reach it may show any page. */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { isLoopback, parseAddress } from '../config/address.js';

/** The header that every POST has to have. No form can set it, and a script only where the server allows it, which this one does not. */
export const HEADER = 'x-pgcascade';

/**
 * Why a POST is refused, if it is.
 * @param listened what the endpoint listens on: `host:port`
 */
export function refusalOf(headers: IncomingHttpHeaders, listened: string): string | undefined {
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)
    return 'refused: a page in a browser has sent this';
  // A page can have the name of its own site lead here; an address it cannot.
  if (!isOwnHost(headers.host, listened)) return FOREIGN;
  if (headers[HEADER] !== '1') return 'refused: send the header X-Pgcascade: 1';
  return undefined;
}

/**
 * Why a report is refused, if it is. On loopback nobody but a page whose site leads here has another name for this host; in a
 * network a monitor has. A browser always says Host.
 * @param listened as `refusalOf`
 */
export function readRefusalOf({ host }: IncomingHttpHeaders, listened: string): string | undefined {
  const isOwn = host === undefined || !isLoopback(parseAddress(listened)) || isOwnHost(host, listened);
  return isOwn ? undefined : FOREIGN;
}

const FOREIGN = 'refused: the Host is neither an address nor localhost nor the host of admin.listen';

function isOwnHost(host: string | undefined, listened: string): boolean {
  const name = hostOf(host ?? '');
  return isIP(name) !== 0 || name === 'localhost' || name === parseAddress(listened).host.toLowerCase();
}

/** Of `host`, `host:port`, `[::1]` and `[::1]:port`. */
function hostOf(text: string): string {
  const [, inBrackets, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(text) ?? [];
  return (inBrackets ?? plain ?? '').toLowerCase();
}
