/** Keeps pages in a browser from doing something by a POST: the browser of somebody who can reach the port may show any page. */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { parseAddress } from '../config/address.js';

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
  if (!isOwnHost(headers.host, listened))
    return 'refused: the Host is neither an address nor localhost nor the host of admin.listen';
  if (headers[HEADER] !== '1') return 'refused: send the header X-Pgcascade: 1';
  return undefined;
}

function isOwnHost(host: string | undefined, listened: string): boolean {
  const name = hostOf(host ?? '');
  return isIP(name) !== 0 || name === 'localhost' || name === parseAddress(listened).host.toLowerCase();
}

/** Of `host`, `host:port`, `[::1]` and `[::1]:port`. */
function hostOf(text: string): string {
  const [, inBrackets, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(text) ?? [];
  return (inBrackets ?? plain ?? '').toLowerCase();
}
