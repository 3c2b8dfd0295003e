/** Reads a schema file from the disk. */
import { open } from 'node:fs/promises';
import { getSystemErrorMap } from 'node:util';
import { ConfigError } from '../config/problems.js';
import { inSlices } from '../pace.js';
import type { Dialect } from '../sql/dialects/dialect.js';
import { parserReady } from '../sql/parser/parser.js';
import { readSchemaText } from './schema-text.js';
import type { FileTable } from './tables.js';

export interface SchemaFileName {
  /** Absolute. */
  readonly path: string;
  /** What messages call it. */
  readonly label: string;
  readonly dialect: Dialect;
  /** Of the names without one, where it is another than usual. */
  readonly schema?: string | undefined;
}

/** A schema file cannot be used. The message has a line for each problem: `FILE:LINE: what is wrong`. */
export class SchemaFileError extends ConfigError {}

/** In bytes: a schema of ten thousand tables has a tenth of it. What is larger has data in it. */
const LARGEST = 32 * 1024 * 1024;

/**
 * @returns its tables
 * @throws SchemaFileError
 */
export async function readSchemaFile({
  path,
  label,
  dialect,
  schema,
}: SchemaFileName): Promise<readonly FileTable[]> {
  const text = await readText(path, label);
  if (dialect === 'postgresql') await parserReady();
  const { tables, problems } = await inSlices(readSchemaText(text, dialect, schema));
  const lines = problems.map(({ line, text: what }) => `${label}:${line}: ${what}`);
  if (lines.length > 0) throw new SchemaFileError(lines.join('\n'));
  return tables;
}

/** Of a file that grows meanwhile, or that has no size as a pipe, no more is read than may be. */
async function readText(path: string, label: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of file.createReadStream({ autoClose: false })) {
        size += (chunk as Buffer).length;
        if (size > LARGEST)
          throw new SchemaFileError(
            `${label}: has more than ${LARGEST / 1024 / 1024} MiB: dump the schema without data`,
          );
        chunks.push(chunk as Buffer);
      }
      return Buffer.concat(chunks)
        .toString('utf8')
        .replace(/^\ufeff/, '');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof SchemaFileError) throw error;
    const { errno, message } = error as NodeJS.ErrnoException;
    throw new SchemaFileError(
      `${label}: cannot be read: ${getSystemErrorMap().get(errno ?? 0)?.[1] ?? message}`,
    );
  }
}
