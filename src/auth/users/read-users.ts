/** Reads the file of users. */
import { readFile, stat } from 'node:fs/promises';
import { getSystemErrorMap } from 'node:util';
import { ConfigError } from '../../config/problems.js';
import { parseUserList, type UserEntry } from './user-list.js';

export interface UserFile {
  readonly entries: readonly UserEntry[];
  /** For the operator: what works, and should be otherwise. */
  readonly warnings: readonly string[];
}

/** What others than owner and group may do. */
const OTHERS = 0o006;

/** @throws ConfigError with a line for each problem, in which no secret is repeated */
export async function readUsers(path: string): Promise<UserFile> {
  const [bytes, { mode }] = await Promise.all([readFile(path), stat(path)]).catch((error: unknown) => {
    throw new ConfigError(`auth.users: ${path} cannot be read: ${systemMessage(error)}`);
  });
  const { entries, problems } = parseUserList(decode(bytes, path));
  if (problems.length > 0)
    throw new ConfigError(problems.map(({ line, text }) => `${path}:${line}: ${text}`).join('\n'));
  const isOpen = (mode & OTHERS) !== 0;
  const warning = `auth.users: ${path} can be read or written by every user of this machine: chmod o= ${path}`;
  return { entries, warnings: isOpen ? [warning] : [] };
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError(`auth.users: ${path} is not UTF-8`);
  }
}

function systemMessage(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
}
