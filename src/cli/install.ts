/** The commands `install` and `uninstall`. */
import type { Config } from '../config/schema.js';
import type { LogOutput } from '../observe/log.js';

/**
 * @param url the database: the command's argument, else graph.url of the configuration
 * @returns the exit code
 */
export async function runInstall(
  command: 'install' | 'uninstall',
  url: Config['graph']['url'],
  stdout: Pick<LogOutput, 'write'>,
  stderr: LogOutput,
): Promise<0 | 1 | 2> {
  if (url === null) {
    stderr.write(`pgcascade: ${command} needs a database: give its URL, or set graph.url.\n`);
    return 2;
  }
  const { install, uninstall } = await import('../graph/watch/install.js');
  const onWait = (older: readonly string[]) => {
    if (stderr.isTTY) stderr.write(`Waiting for transactions that began earlier: ${older.join('; ')}\n`);
  };
  try {
    const { changed, preparable } = await (command === 'install' ? install(url, { onWait }) : uninstall(url));
    const [made, nothing] =
      command === 'install' ? ['Made', 'It was already'] : ['Removed', 'There was nothing to remove'];
    const what = changed.length > 0 ? `${made}: ${changed.join(', ')}` : nothing;
    stdout.write(`pgcascade is ${command === 'install' ? '' : 'not '}installed in ${url.name}. ${what}.\n`);
    if (preparable && changed.length > 0) stdout.write(PREPARED);
    return 0;
  } catch (error) {
    stderr.write(`pgcascade: cannot ${command} in ${url.name}: ${reasonOf(error)}.\n`);
    return 1;
  }
}

const PREPARED =
  'The server allows prepared transactions (max_prepared_transactions): one that changes the schema can no longer be prepared.\n';

/** The server's message and hint. Without a hint, a refusal for missing rights says who may make an event trigger. */
function reasonOf(error: unknown): string {
  const { message, hint, code } = Object(error) as { message?: string; hint?: string; code?: string };
  const advice = hint ?? (code === '42501' ? 'An event trigger is made by a superuser.' : '');
  return [message || code || String(error), advice].filter(Boolean).join('. ').replace(/\.$/, '');
}
