/** H2 with its own server for PostgreSQL's protocol: Debian's libh2-java, and any Java. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.js';
import type { Loopback } from '../support/loopback.js';
import { isInstalled } from '../support/programs.js';

const JAR = '/usr/share/java/h2.jar';
const LISTENS = 'PG server running';
const ATTEMPTS = 3;

/** Whoever connects first makes the database, and is its owner: so all come with these. */
export const H2_LOGIN = { user: 'sa', password: 'sa', database: 'shop' };

/** Why its suites are skipped; undefined where it is there. */
export function missingH2(): string | undefined {
  if (!isInstalled('java')) return 'Java is not installed (apt-get install default-jre-headless)';
  return existsSync(JAR) ? undefined : 'H2 is not installed (apt-get install libh2-java)';
}

export async function startH2(): Promise<Loopback> {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-h2-'));
  let said = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = await freePort();
    const child = run(port, folder);
    const closed = once(child, 'close');
    const listens = new Promise<true>((resolve) => {
      const hear = (text: string) => {
        said += text;
        if (said.includes(LISTENS)) resolve(true);
      };
      for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', hear);
    });
    const end = async () => {
      child.kill('SIGKILL');
      await closed;
      process.off('exit', kill);
    };
    const kill = () => void child.kill('SIGKILL');
    process.once('exit', kill);
    if (await Promise.race([listens, closed.then(() => false)]))
      return {
        host: '127.0.0.1',
        port,
        async close() {
          await end();
          rmSync(folder, { recursive: true });
        },
      };
    // Somebody else took the port.
    await end();
  }
  rmSync(folder, { recursive: true });
  throw new Error(`H2 does not listen. It said:\n${said}`);
}

function run(port: number, folder: string): ChildProcess {
  const java = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dh2.bindAddress=127.0.0.1', '-cp', JAR];
  const server = ['org.h2.tools.Server', '-pg', '-pgPort', String(port), '-baseDir', folder, '-ifNotExists'];
  return spawn('java', [...java, ...server], { stdio: ['ignore', 'pipe', 'pipe'] });
}
