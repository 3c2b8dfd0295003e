import { execFileSync } from 'node:child_process';

/** Whether a program can be run here: Debian has a wrapper for pgbench that fails where the program itself is missing. */
export function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
