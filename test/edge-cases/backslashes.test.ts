/** Backslashes while standard_conforming_strings is off: in plain strings they mean something else then. */

import { describe, expect, test, vi } from 'vitest';
import { query, run, sync } from '../support/frontend-messages.js';
import { askAll } from '../support/raw-client.js';
import { SAMPLE } from './sample.js';
import { ALL, useSides } from './sides.js';

vi.setConfig({ testTimeout: 30_000 });
const { on, sameOn } = useSides();

const OFF = 'SET standard_conforming_strings = off; SET escape_string_warning = off';

describe('45 with standard_conforming_strings off a DELETE cascades whose backslashes stand', () => {
  test.each([
    `DELETE FROM orgs WHERE name = E'org\\x201' OR name = E'it\\'s'`,
    `DELETE FROM orgs WHERE name = $$\\$$ OR id = 1 -- it\\'s`,
    `DELETE FROM orgs /* \\' */ WHERE id = 1 RETURNING 1 AS "a\\b"`,
    `DELETE FROM orgs WHERE name = 'org 1' OR name = e'\\\\'\n '\\''`,
    `DELETE FROM orgs WHERE name = 'it''s' OR name = N'org 1' OR B'1' = B'0'`,
    `WITH d AS (DELETE FROM orgs WHERE name = E'org\\0401' RETURNING *, E'\\'' AS "\\") SELECT * FROM d`,
    `DELETE FROM orgs WHERE id = 1 \\ 2`,
  ])('%s', (text) =>
    sameOn(ALL, SAMPLE, async ({ client }) => [
      ...(await askAll(client, [OFF, 'BEGIN', text, 'ROLLBACK'])),
      ...(await client.ask(run(text), sync)),
    ]));

  test.each([
    `DELETE FROM orgs WHERE name = 'it\\'s' OR id = 1`,
    `DELETE FROM orgs WHERE name = 'a\\\\' OR id = 1`,
    `DELETE FROM orgs WHERE name = U&'org \\0031'`,
    `DELETE FROM orgs WHERE name = E'a' 'b' OR name = '\\'`,
    `DELETE FROM orgs WHERE name = 'a'\n'\\' OR id = 1; SELECT '`,
    `DELETE FROM orgs WHERE name = N'\\' OR id = 1 OR name = N'`,
  ])('and one is refused whose backslashes stand in a plain string: %s', async (text) => {
    const { client } = await on('emulated', SAMPLE);
    await askAll(client, [OFF]);
    expect((await client.told(query(text))).join()).toMatch(/PGC_STRINGS/);
    expect(await client.told(query('SELECT count(*) FROM orgs'))).toContain('D 5');
  });
});
