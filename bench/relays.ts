import { fileURLToPath } from 'node:url';
import { freePort } from '../test/support/free-port.js';
import { ListeningProgram } from '../test/support/listening-program.js';
import { ProxyProgram } from '../test/support/proxy-program.js';

/** A relay in a process of its own, accepting on a loopback port. */
export interface Relay {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts the relay that only pipes. */
export async function startBareRelay(upstream: URL): Promise<Relay> {
  const port = await freePort();
  const program = fileURLToPath(new URL('bare-relay.js', import.meta.url));
  const { host, port: to } = addressOf(upstream);
  const relay = await ListeningProgram.start([program, String(port), host, String(to)]);
  return { port, stop: () => relay.kill() };
}

/**
 * Starts pgcascade as a user would.
 * @param config keys of the configuration, as a file would give them
 */
export async function startPgcascade(
  upstream: URL,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Relay & { readonly pid: number | undefined }> {
  const proxy = await ProxyProgram.start(addressOf(upstream), config);
  return { port: proxy.port, pid: proxy.process.pid, stop: () => proxy.kill() };
}

function addressOf({ hostname, port }: URL) {
  return { host: hostname, port: Number(port || '5432') };
}
