/** What the start, or the first login, would say of the files that the configuration names, and that reading it leaves unread. */
import { checkFile } from '../audit/line-writer.js';
import { readAuthFiles } from '../auth/users/auth-files.js';
import { ConfigError } from '../config/problems.js';
import type { Config } from '../config/schema.js';
import type { ServersConfig } from '../config/upstream.js';
import { relationsWithFiles } from '../schema-files/file-relations.js';
import { readTlsFiles } from '../upstream/server-tls.js';
import { unopened } from './start-failure.js';

interface Findings {
  readonly problems: readonly string[];
  /** Of what works, and should be otherwise; or may not work. */
  readonly warnings: readonly string[];
}

/**
 * @returns warnings, a line each
 * @throws ConfigError with a line for each problem, in which no secret is repeated
 */
export async function checkNamedFiles({
  auth,
  audit,
  upstream,
  graph,
  cascade,
}: Config): Promise<readonly string[]> {
  const { warnings } = await readAuthFiles(auth);
  await relationsWithFiles(cascade.relations, cascade.files);
  const problem = audit.path === null || audit.path === '-' ? undefined : await recordProblem(audit.path);
  const found = [
    { problems: problem === undefined ? [] : [problem], warnings },
    ...(upstream.kind === 'servers' ? [await tlsFindings('upstream', upstream)] : []),
    ...(graph.url ? [await tlsFindings('graph.url', graph.url.servers)] : []),
  ];
  const problems = found.flatMap((each) => each.problems);
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return found.flatMap((each) => each.warnings);
}

async function recordProblem(path: string): Promise<string | undefined> {
  return checkFile(path).then(
    () => undefined,
    ({ errno, message }: NodeJS.ErrnoException) => unopened(path, errno, message),
  );
}

/** Where the server may also be reached in clear, only a login finds out whether the files are needed. */
async function tlsFindings(key: string, { hosts }: ServersConfig): Promise<Findings> {
  const [problems, warnings] = [new Set<string>(), new Set<string>()];
  for (const host of hosts) {
    if (host.kind !== 'tcp' || host.sslmode === 'disable') continue;
    const told = host.sslmode === 'allow' || host.sslmode === 'prefer' ? warnings : problems;
    await readTlsFiles(host).catch((error: Error) => told.add(`${key}: ${error.message}`));
  }
  return { problems: [...problems], warnings: [...warnings] };
}
