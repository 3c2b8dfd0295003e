import { formatAddress } from '../config/address.js';
import type { Config } from '../config/schema.js';

/** Gives in plain words why the start failed and what to do. */
export function startFailure(error: unknown, config: Config): string {
  const { code, address, path, port, message } = Object(error) as Partial<NodeJS.ErrnoException> & {
    readonly address?: string;
    readonly port?: number;
  };
  // A socket's path comes with port -1.
  const at = address && port && port > 0 ? formatAddress({ host: address, port }) : address;
  const key = at === config.admin.listen ? 'admin.listen (PGCASCADE_ADMIN_LISTEN)' : 'listen (--listen)';
  switch (code) {
    case 'EADDRINUSE':
      return `cannot listen on ${at}: another program does. End it, or choose another address with ${key}`;
    case 'EACCES':
      return `cannot listen on ${at}: not permitted. Choose a port above 1023, or a directory that exists and can be written, with ${key}`;
    case 'EADDRNOTAVAIL':
      return `cannot listen on ${at}: this machine does not have the address. Choose another with ${key}`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `cannot listen in ${path}: it is not a directory. Choose another place with listen (--listen)`;
    default:
      return `cannot start: ${message ?? String(error)}`;
  }
}
