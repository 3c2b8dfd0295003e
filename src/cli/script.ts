/** The command `script`. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ProxyError } from '../errors.js';
import { inSlices } from '../pace.js';
import { fileGraph } from '../schema-files/file-graph.js';
import { readSchemaFile, SchemaFileError } from '../schema-files/schema-file.js';
import { makeScript } from '../script/script.js';
import { scriptJson, scriptText } from '../script/script-text.js';
import type { Io } from './io.js';
import type { ScriptRequest } from './script-arguments.js';

/**
 * Prints the script, or writes it.
 * @returns the exit code: 2 where the schema file cannot be used, 1 where no script can be written
 */
export async function runScript(
  { schema, dialect, format, out, statement }: ScriptRequest,
  { cwd, stdout, stderr }: Pick<Io, 'cwd' | 'stdout' | 'stderr'>,
): Promise<0 | 1 | 2> {
  try {
    const tables = await readSchemaFile({ path: resolve(cwd, schema), label: schema, dialect });
    const script = await inSlices(makeScript(await fileGraph(tables, dialect), statement, dialect));
    const text = format === 'json' ? scriptJson(script) : scriptText(script);
    if (out === undefined) stdout.write(text);
    else writeFileSync(resolve(cwd, out), text);
    return 0;
  } catch (error) {
    if (error instanceof SchemaFileError) {
      stderr.write(`${error.message}\n`);
      return 2;
    }
    if (error instanceof ProxyError) {
      stderr.write(`pgcascade: ${error.message}.\n${[error.detail, error.hint].filter(Boolean).join(' ')}\n`);
      return 1;
    }
    if (out === undefined || (error as NodeJS.ErrnoException).syscall === undefined) throw error;
    stderr.write(`pgcascade: ${out} cannot be written: ${(error as Error).message}\n`);
    return 1;
  }
}
