/** pgcascade in a process of its own, which can be killed, and asked what it has counted and how much memory it uses. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.js';

/** In bytes, behind a garbage collection. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** What it logs may be long; the end of it is what tells. */
const KEPT_LOG = 16_000;

export class ProxyProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #adminPort: number;
  readonly #closed: Promise<unknown>;
  #log = '';

  private constructor(child: ChildProcess, port: number, adminPort: number) {
    this.#child = child;
    this.port = port;
    this.#adminPort = adminPort;
    this.#closed = once(child, 'close');
    process.once('exit', this.#kill);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-KEPT_LOG);
      });
  }

  /**
   * Starts it, and waits until it listens.
   * @param upstreamPort of a PostgreSQL, or of what stands before it, on this host
   * @param port on which it listens: of one that was killed, or a free one
   */
  static async start(upstreamPort: number, port?: number): Promise<ProxyProcess> {
    const ports = [port ?? (await freePort()), await freePort()] as const;
    const upstream = `postgres://127.0.0.1:${upstreamPort}?sslmode=disable`;
    const flags = ['serve', '--upstream', upstream, '--listen', `127.0.0.1:${ports[0]}`];
    const hook = join(root(), 'test/chaos/memory-reporter.js');
    const child = spawn(
      process.execPath,
      ['--expose-gc', '--import', hook, join(root(), 'dist/cli.js'), ...flags],
      {
        env: {
          ...process.env,
          PGCASCADE_ADMIN_LISTEN: `127.0.0.1:${ports[1]}`,
          PGCASCADE_LOG_LEVEL: 'error',
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    const proxy = new ProxyProcess(child, ...ports);
    // At this level its first words, and its only ones, are where it listens.
    const listens = child.stdout ? once(child.stdout, 'data') : Promise.resolve();
    await Promise.race([
      listens,
      proxy.#closed.then(() => Promise.reject(new Error(`the proxy did not start:\n${proxy.#log}`))),
    ]);
    return proxy;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it has written. */
  get log(): string {
    return this.#log;
  }

  memory(): Promise<Memory> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', (memory) => resolve(memory as Memory));
      this.#child.send('memory', (error) => error && reject(error));
    });
  }

  /** The sum of a metric over its labels. @throws where it has no such metric, or does not answer */
  async metric(name: string): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#adminPort}/metrics`);
    const lines = (await answer.text()).split('\n').filter((line) => /^[^#]/.test(line));
    const values = lines.filter((line) => line.split(/[ {]/)[0] === name);
    if (values.length === 0) throw new Error(`there is no metric ${name}`);
    return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#kill();
    await this.#closed;
    process.off('exit', this.#kill);
  }

  readonly #kill = () => void this.#child.kill('SIGKILL');
}

/** The folder of package.json: this file runs as it is, and compiled below dist. */
function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
