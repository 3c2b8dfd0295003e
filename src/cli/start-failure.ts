/** What an operator reads of a start that failed. */
import { getSystemErrorMap } from 'node:util';
import { formatAddress, parseAddress } from '../config/address.js';
import type { Config } from '../config/schema.js';

/** What the system's errors of listening have beside those of files. */
interface ListenError extends NodeJS.ErrnoException {
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

/** Gives in plain words why the start failed and what to do. */
export function startFailure(error: unknown, config: Config): string {
  const { code, syscall, errno, address, path, port, hostname, message } = Object(
    error,
  ) as Partial<ListenError>;
  if (syscall === 'open' && path !== undefined && path === config.audit.path)
    return unopened(path, errno, message);
  if (syscall === 'mkdir') return `cannot listen in ${path}: ${directoryFailure(code)}`;
  // A socket's path comes with port -1.
  const at =
    address && port && port > 0 ? formatAddress({ host: address, port }) : (address ?? hostname ?? path);
  const admin = config.admin.listen;
  const isAdmin = admin !== null && (at === admin || (hostname && !config.listen.some(hasHost(hostname))));
  const key = isAdmin ? 'admin.listen (PGCASCADE_ADMIN_LISTEN)' : 'listen (--listen)';
  switch (code) {
    case 'EADDRINUSE':
      return `cannot listen on ${at}: another program does. End it, or choose another address with ${key}`;
    case 'EACCES':
    case 'EPERM':
      return `cannot listen on ${at}: not permitted. Choose a port above 1023, or a directory that exists and can be written, with ${key}`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `cannot listen on ${at}: this machine does not have the address. Choose another with ${key}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot listen on ${at}: no address is known for the name. Choose another with ${key}`;
    default:
      return `cannot start: ${TOO_FEW_FILES.get(code) ?? message ?? String(error)}`;
  }
}

/** Says why the record of cascades cannot be opened. @param otherwise what is said of an error that is not the system's */
export function unopened(path: string, errno = 0, otherwise = ''): string {
  return `audit.path: ${path} cannot be opened: ${getSystemErrorMap().get(errno)?.[1] ?? otherwise}`;
}

function hasHost(hostname: string): (address: string) => boolean {
  return (address) => !address.startsWith('/') && parseAddress(address).host === hostname;
}

function directoryFailure(code: string | undefined): string {
  const reason =
    code === 'EEXIST' || code === 'ENOTDIR'
      ? 'it is not a directory'
      : `no directory can be made there (${code})`;
  return `${reason}. Choose another place with listen (--listen)`;
}

/** The limits of the process, and of the system: modules are files too, many of which are open at the same time. */
const TOO_FEW_FILES: ReadonlyMap<string | undefined, string> = new Map([
  ['EMFILE', 'the limit of open files is too low. Raise it (ulimit -n) to 1024 or more'],
  ['ENFILE', 'the system has too many open files. End other programs, or raise its limit (fs.file-max)'],
]);

/** As {@link startFailure}, where even the modules of the program could not be loaded. */
export function loadFailure(error: unknown): string {
  const { code, message, stack } = Object(error) as Partial<NodeJS.ErrnoException>;
  const known = TOO_FEW_FILES.get(code);
  if (known !== undefined) return `cannot start: ${known}`;
  if (code === 'ERR_MODULE_NOT_FOUND')
    return `cannot start: the installation is not complete. Install it anew (${message})`;
  return code === undefined
    ? `a defect in pgcascade: please report it: ${stack ?? String(error)}`
    : `cannot start: ${message}`;
}
