/** pgcascade as a user starts it: the program that was built, in a process of its own. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';
import { ListeningProgram, type ProgramOptions } from './listening-program.js';
import type { TcpAddress } from './postgres.js';

/** Keys of the configuration, as a file would give them. */
type Config = Readonly<Record<string, unknown>>;

export interface ProxyProgramOptions extends Omit<ProgramOptions, 'env'> {
  /** On which it listens, of one that was killed; a free one otherwise. */
  readonly port?: number;
}

export class ProxyProgram {
  readonly port: number;
  readonly process: ListeningProgram;
  readonly #adminPort: number;

  private constructor(port: number, adminPort: number, process: ListeningProgram) {
    this.port = port;
    this.process = process;
    this.#adminPort = adminPort;
  }

  /**
   * Starts it, and waits until it listens on 127.0.0.1.
   * @param upstream without TLS, unless `config` has another
   */
  static async start(
    upstream: Pick<TcpAddress, 'host' | 'port'>,
    config: Config = {},
    options: ProxyProgramOptions = {},
  ): Promise<ProxyProgram> {
    const [port, adminPort] = [options.port ?? (await freePort()), await freePort()];
    const env = variablesOf({
      listen: `127.0.0.1:${port}`,
      upstream: `postgres://${upstream.host}:${upstream.port}?sslmode=disable`,
      // The default port may belong to another pgcascade on this machine.
      admin: { listen: `127.0.0.1:${adminPort}` },
      ...config,
    });
    const process = await ListeningProgram.start([fileURLToPath(builtProgram()), 'serve'], {
      ...options,
      env,
    });
    return new ProxyProgram(port, adminPort, process);
  }

  /** The sum of a metric over its labels. @throws where it has no such metric, or does not answer */
  async metric(name: string): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#adminPort}/metrics`);
    const lines = (await answer.text()).split('\n').filter((line) => /^[^#]/.test(line));
    const values = lines.filter((line) => line.split(/[ {]/)[0] === name);
    if (values.length === 0) throw new Error(`there is no metric ${name}`);
    return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  kill(): Promise<void> {
    return this.process.kill();
  }
}

/** dist/cli.js. This file runs as it is, and compiled below dist. @throws where nothing was built */
export function builtProgram(): URL {
  const places = ['../../cli.js', '../../dist/cli.js'].map((path) => new URL(path, import.meta.url));
  const found = places.find((place) => existsSync(place));
  if (!found) throw new Error('there is no dist/cli.js: npm run build');
  return found;
}

/** `{ log: { level: 'warn' } }` as `{ PGCASCADE_LOG_LEVEL: '"warn"' }`. */
function variablesOf(config: Config, prefix = 'PGCASCADE'): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => {
      const name = `${prefix}_${key.toUpperCase()}`;
      const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
      return isSection ? Object.entries(variablesOf(value as Config, name)) : [[name, JSON.stringify(value)]];
    }),
  );
}
