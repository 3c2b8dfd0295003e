// What initdb makes for the embedded database takes it seconds. The build keeps it in a file, and the database starts from
// that. The file belongs to one version of PGlite; where there is none for this version, initdb runs at every start.
// Plain JavaScript, as engine-thread.js, which starts from it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';

/** In dist, for the program and for its sources alike: both are as deep. */
const FOLDER = new URL('../../../../dist/', import.meta.url);
const COMPRESSION = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };

/** @returns what `PGlite.create` takes as `loadDataDir`, or undefined where the build has not kept it */
export function initialData() {
  const kept = read();
  return kept && new Blob([brotliDecompressSync(kept)]);
}

/** Called by the build: runs initdb and keeps what it makes, if that is not there yet. */
export async function keepInitialData() {
  if (read()) return;
  const pglite = await PGlite.create();
  await pglite.exec('CHECKPOINT');
  const made = await pglite.dumpDataDir('none');
  await pglite.close();
  mkdirSync(FOLDER, { recursive: true });
  // Under its name it is there whole or not at all: tests may start while a build runs.
  const part = new URL(`initial-data.${process.pid}.part`, FOLDER);
  writeFileSync(part, brotliCompressSync(Buffer.from(await made.arrayBuffer()), { params: COMPRESSION }));
  renameSync(part, file());
}

function read() {
  try {
    return readFileSync(file());
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `dist/pglite-0.5.16.tar.br` */
function file() {
  const manifest = new URL('../package.json', import.meta.resolve('@electric-sql/pglite'));
  return new URL(`pglite-${JSON.parse(readFileSync(manifest, 'utf8')).version}.tar.br`, FOLDER);
}
