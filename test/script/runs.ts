/** Makes scripts as the program does, and runs programs of the databases. */
import { spawn } from 'node:child_process';
import { inSlices } from '../../src/pace.js';
import { fileGraph } from '../../src/schema-files/file-graph.js';
import { readSchemaText } from '../../src/schema-files/schema-text.js';
import type { ScriptDialectName } from '../../src/script/dialects/names.js';
import { makeScript, type Script } from '../../src/script/script.js';

/**
 * The script for a statement.
 * @param namespace of tables without one, where it is another than usual
 * @throws as makeScript; an Error where the schema has a problem
 */
export async function scriptOf(
  schema: string,
  statement: string,
  dialect: ScriptDialectName,
  namespace?: string,
): Promise<Script> {
  const { tables, problems } = await inSlices(readSchemaText(schema, dialect, namespace));
  if (problems.length > 0) throw new Error(problems.map(({ line, text }) => `${line}: ${text}`).join('\n'));
  return inSlices(makeScript(await fileGraph(tables, dialect), statement, dialect));
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with this on its standard input. */
export function ran(program: string, args: readonly string[], input: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe' });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    // A program that ends at an error does not read the rest.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') reject(error);
    });
    child.on('close', (status) =>
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
    child.stdin.end(input);
  });
}

/** As `ran`, where it has to go well. @returns what it wrote to standard output */
export async function output(program: string, args: readonly string[], input: string): Promise<string> {
  const { status, stdout, stderr } = await ran(program, args, input);
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}
