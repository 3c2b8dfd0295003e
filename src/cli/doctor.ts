/** The command `doctor`. */
import { databaseOfVariables, type GraphUrl } from '../config/graph-url.js';
import { ConfigError } from '../config/problems.js';
import type { Config } from '../config/schema.js';
import { ValueError } from '../config/values/values.js';
import type { LogOutput } from '../observe/log.js';
import type { Format } from './arguments.js';

interface DoctorIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Pick<LogOutput, 'write'>;
  readonly stderr: Pick<LogOutput, 'write'>;
}

/** @returns the exit code: 1 where something has to be done, or the database could not be looked at */
export async function runDoctor(
  config: Config,
  format: Format,
  { env, stdout, stderr }: DoctorIo,
): Promise<0 | 1 | 2> {
  const url = config.graph.url ?? fromVariables(env);
  if (url === undefined) {
    stderr.write(
      'pgcascade: doctor needs a database: give its URL, or set graph.url, or PGHOST, PGUSER and PGDATABASE.\n',
    );
    return 2;
  }
  const [{ examine, isProblem }, { reportText }] = await Promise.all([
    import('../doctor/doctor.js'),
    import('../doctor/report.js'),
  ]);
  try {
    const report = await examine(config, url);
    stdout.write(format === 'json' ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
    return report.findings.some(isProblem) ? 1 : 0;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { message, code } = Object(error) as { message?: string; code?: string };
    stderr.write(`pgcascade: cannot look at ${url.name}: ${message || code || String(error)}.\n`);
    return 1;
  }
}

/** @throws ConfigError */
function fromVariables(env: DoctorIo['env']): GraphUrl | undefined {
  try {
    return databaseOfVariables(env);
  } catch (error) {
    throw error instanceof ValueError ? new ConfigError(`PGHOST, PGPORT …: ${error.message}`) : error;
  }
}
