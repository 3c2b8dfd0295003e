/** Reads the files that `auth` names. */
import { readFile, stat } from 'node:fs/promises';
import { getSystemErrorMap } from 'node:util';
import { ConfigError } from '../../config/problems.js';
import { type CertificateMapping, parseCertificateMap } from './certificate-map.js';
import type { LineProblem } from './line-problem.js';
import { parseUserList, type UserEntry } from './user-list.js';

export interface AuthFiles {
  /** Those of `users`; none where there is no such file. */
  readonly entries: readonly UserEntry[];
  /** Those of `map`; undefined where there is no such file. */
  readonly mappings: readonly CertificateMapping[] | undefined;
  /** For the operator: what works, and should be otherwise. */
  readonly warnings: readonly string[];
}

/** Paths, as the configuration has them. */
export interface AuthPaths {
  readonly users: string | null;
  readonly map: string | null;
}

/** What others than owner and group may do. */
const [READ, WRITE] = [0o004, 0o002];

/** @throws ConfigError with a line for each problem, in which no secret is repeated */
export async function readAuthFiles({ users, map }: AuthPaths): Promise<AuthFiles> {
  const userFile = users === null ? undefined : await readLines('auth.users', users);
  const mapFile = map === null ? undefined : await readLines('auth.map', map);
  const list = userFile && parseUserList(userFile.text);
  const read = mapFile && parseCertificateMap(mapFile.text);
  const problems = [...located(users, list?.problems), ...located(map, read?.problems)];
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  const warnings = [
    ...(list?.entries.length === 0 ? [`auth.users: ${users} has no user in it`] : []),
    ...(read?.mappings.length === 0 ? [`auth.map: ${map} has no line in it: nobody can log in`] : []),
    ...(userFile && (userFile.mode & (READ | WRITE)) !== 0
      ? [`auth.users: ${users} can be read or written by every user of this machine: chmod o= ${users}`]
      : []),
    ...(mapFile && (mapFile.mode & WRITE) !== 0
      ? [`auth.map: ${map} can be written by every user of this machine: chmod o-w ${map}`]
      : []),
  ];
  return { entries: list?.entries ?? [], mappings: read?.mappings, warnings };
}

function located(path: string | null, problems: readonly LineProblem[] = []): readonly string[] {
  return problems.map(({ line, text }) => `${path}:${line}: ${text}`);
}

async function readLines(
  key: string,
  path: string,
): Promise<{ readonly text: string; readonly mode: number }> {
  const [bytes, { mode }] = await Promise.all([readFile(path), stat(path)]).catch((error: unknown) => {
    throw new ConfigError(`${key}: ${path} cannot be read: ${systemMessage(error)}`);
  });
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), mode };
  } catch {
    throw new ConfigError(`${key}: ${path} is not UTF-8`);
  }
}

function systemMessage(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
}
