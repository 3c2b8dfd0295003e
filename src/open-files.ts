/** How many clients the limit of open files allows: each connection is an open file. */

/** The files that are kept free for listeners, probes, cancel requests, and clients that are refused (53300). */
const RESERVED = 64;
/** A client's own connection, and the upstream one. */
const FILES_PER_CLIENT = 2;
/** With fewer there is no start: Node.js 20 cannot even load the program with them, and Node.js 24 serves three clients with 70. */
const FEWEST = 128;

/** What `ulimit -n` says; Node.js has raised it to the hard limit. Undefined where the system has no such limit. */
export function openFileLimit(): number | undefined {
  // With the network interfaces in it, the report looks their names up.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as {
    readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } };
  };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : undefined;
}

/**
 * @param files as {@link openFileLimit}
 * @throws an EMFILE where so few files may be open that nobody can be served in earnest
 */
export function requireFiles(files: number | undefined): void {
  if (files !== undefined && files < FEWEST)
    throw Object.assign(new Error(`only ${files} files may be open`), { code: 'EMFILE' });
}

/**
 * How many clients can be served at a time. A process without a free file could not even accept a client to
 * refuse it, so RESERVED files stay free.
 * @param wanted the limit that is configured
 * @param files as {@link openFileLimit}
 */
export function mostClients(wanted: number, files: number | undefined): number {
  if (files === undefined) return wanted;
  return Math.max(1, Math.min(wanted, Math.floor((files - RESERVED) / FILES_PER_CLIENT)));
}
