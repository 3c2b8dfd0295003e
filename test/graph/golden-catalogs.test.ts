/** The catalogs that the golden files of test/plan are planned by are those that PostgreSQL has for their schemas. */
import { readdirSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { parserReady } from '../../src/sql/parser/parser.js';
import { GOLDEN_FILES, readGolden } from '../plan/golden.js';
import { askServer, readRecorded } from '../plan/recorded-catalog.js';
import { useDatabase } from '../support/database.js';

const database = useDatabase();

beforeAll(() => parserReady());

test.each(GOLDEN_FILES)('the catalog kept for %s is what the server says of its schema', async (name) => {
  expect(readRecorded(name)).toEqual(await askServer(database, readGolden(name)));
});

test('no catalog is kept for a golden file that is gone', () => {
  const kept = readdirSync(new URL('../plan/catalogs/', import.meta.url));
  expect(kept).toEqual(GOLDEN_FILES.map((name) => name.replace(/golden$/, 'json')));
});
