import { spawnSync } from 'node:child_process';
import { accessSync, chownSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, runAs } from './account.js';

/**
 * Linux keeps the files of this folder in memory. A test makes and drops some twenty tables, and each of them is two files
 * or more: on ext4 a new file's number is searched for among those of the files that were removed in the last seconds,
 * which can take longer than all that PostgreSQL does for a table.
 */
const memory = '/dev/shm';
/** In bytes. A container has 64 MB there unless it is told otherwise; what the tests need at a time is far less than this. */
const enoughMemory = 4 * 2 ** 30;
/** Linux allows 107 bytes for a socket's whole path, macOS 103; the name in the folder is `.s.PGSQL.65535`. */
const longestSocketDir = 85;

/**
 * A new folder that the server's account owns, can reach and can run programs in, with a path short enough for a socket.
 * It is in memory, where there is enough of that.
 * @throws where there is no place for one
 */
export function serverFolder(account: Account | undefined): string {
  const bases = [...(hasRoom(memory) ? [memory] : []), tmpdir(), '/tmp'];
  for (const base of bases) {
    const folder = mkdtempSync(join(base, 'pgcascade-'));
    if (account) chownSync(folder, account.uid, account.gid);
    if (folder.length <= longestSocketDir && canRunIn(folder, account)) return folder;
    rmSync(folder, { recursive: true });
  }
  const who = account?.name ?? 'this user';
  throw new Error(`${who} can keep a server in none of these: ${bases.join(', ')}`);
}

function hasRoom(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= enoughMemory;
  } catch {
    return false;
  }
}

/** Whether the account can enter the folder, write to it, and run what it has written: not where it is mounted `noexec`. */
function canRunIn(folder: string, account: Account | undefined): boolean {
  const script = `cd "$1" && echo '#!/bin/sh' >probe && chmod +x probe && ./probe && rm probe`;
  return (
    spawnSync('/bin/sh', ['-c', script, 'sh', folder], { ...runAs(account, '/'), stdio: 'ignore' }).status ===
    0
  );
}
