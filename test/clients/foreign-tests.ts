/** Shows tests that are written in another language as tests of this run: one for one, by their names. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { useDatabase } from '../support/database.js';
import { describeMissing } from '../support/programs.js';
import { useProxy } from '../support/proxy.js';

/** A test as its runner lists it. */
export interface ForeignTest {
  readonly id: string;
  readonly group: string;
  readonly name: string;
}

/** A line of JSON that a runner prints when a test has ended. */
interface Report {
  readonly id: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly detail: string;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

export type Variables = Readonly<Record<string, string>>;

/** What a command printed, and how it ended: undefined where it ended well. */
interface Ended {
  readonly stdout: string;
  readonly failure: string | undefined;
}

// What hangs is ended, and named, before the hook that waits for it. A busy machine may take long.
const patience = 240_000;
const hookTimeout = patience + 30_000;

/** Runs a command to its end, without the variables by which libpq would connect somewhere else. */
export function run({ program, args, cwd }: Command, variables: Variables = {}): Promise<Ended> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  const env = { ...Object.fromEntries(kept), PYTHONDONTWRITEBYTECODE: '1', ...variables };
  const options = { cwd, env, timeout: patience, killSignal: 'SIGKILL', maxBuffer: 2 ** 26 } as const;
  return new Promise((resolve) => {
    execFile(program, [...args], options, (error, stdout) =>
      // The message has what the command said on its standard error.
      resolve({ stdout, failure: error?.message }),
    );
  });
}

/** @throws what a command said, where it failed */
export async function output(command: Command): Promise<string> {
  const { stdout, failure } = await run(command);
  if (failure !== undefined) throw new Error(failure);
  return stdout;
}

/**
 * Makes the schema of twin.sql twice for the tests of this file: enforced and asked directly, NOT ENFORCED and asked
 * through a proxy. Gives the variables that tell a runner where they are.
 */
export function useTwinVariables(): () => Variables {
  const schema = readFileSync(new URL('twin.sql', import.meta.url), 'utf8').replace(/^--.*$/gm, '');
  const native = useDatabase(schema.replaceAll(/\bKEYS\b/g, ''));
  const emulated = useDatabase(schema.replaceAll(/\bKEYS\b/g, 'NOT ENFORCED'));
  const proxy = useProxy();
  return () => ({
    PGCASCADE_TEST_DIRECT_URL: native.url,
    PGCASCADE_TEST_PROXY_URL: proxy.url(emulated.name),
  });
}

/** Runs a suite once, and lets each of its tests tell how it ended. */
export function showTests(
  title: string,
  tests: readonly ForeignTest[],
  command: Command,
  variables: () => Variables,
): void {
  describe(title, () => {
    const reports = new Map<string, Report>();
    let rest = '';
    beforeAll(async () => {
      const { stdout, failure } = await run(command, variables());
      for (const report of jsonLines<Report>(stdout)) reports.set(report.id, report);
      const unlisted = [...reports.values()].filter(({ id }) => !tests.some((each) => each.id === id));
      rest = [failure ?? '', ...unlisted.map(({ id, detail }) => `${id}: ${detail}`)].join('\n');
    }, hookTimeout);
    afterAll(() => {
      if (rest.trim() !== '') throw new Error(rest);
    });
    for (const group of new Set(tests.map((each) => each.group)))
      describe(group, () => {
        for (const { id, name } of tests.filter((each) => each.group === group))
          test(name, ({ skip }) => {
            const report = reports.get(id);
            if (!report) throw new Error(`was not run\n${rest}`);
            if (report.outcome === 'skipped') skip(report.detail);
            if (report.outcome === 'failed') throw new Error(report.detail);
          });
      });
  });
}

/** Shows a suite whose client is missing as skipped, and says what would bring it. */
export function showMissing(title: string, client: string, debianPackage: string): void {
  describeMissing(title, `${client} is not installed (apt-get install ${debianPackage})`);
}

export function jsonLines<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
