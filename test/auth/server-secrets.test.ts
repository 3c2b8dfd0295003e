/** The secrets that a real server makes of passwords: the proxy makes the same ones. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { preparePassword } from '../../src/auth/scram/password.js';
import { makeSecret, parseScramSecret } from '../../src/auth/scram/secret.js';
import { databaseUrl } from '../support/postgres.js';

const PASSWORDS = [
  ['ASCII', 'pencil'],
  ['ASCII that SASLprep prohibits', 'a\x07b'],
  ['a space', ' a b '],
  ['umlauts', 'pässword'],
  ['a decomposed character', 'e\u0301t\u00e9'],
  ['compatibility characters', '\u2168 \u00aa \u00a8'],
  ['spaces that are mapped', 'a\u00a0b\u2003c\u3000'],
  ['characters that are mapped to nothing', 'a\u00ad\u200db'],
  ['nothing but characters that are mapped to nothing', '\u00ad\u200b'],
  ['right-to-left letters', '\u0627\u0628'],
  ['both directions, which is prohibited', 'a\u0627b'],
  ['a right-to-left beginning alone, which is prohibited', '\u06271'],
  ['a character that Unicode 3.2 did not have', 'a\u0221'],
  ['an emoji', 'a\u{1f600}b'],
  ['a private character', 'a\ue000'],
  ['a control character beyond ASCII', 'a\u0085b'],
] as const;

test('a password is hashed as PostgreSQL hashes it, whatever characters it has', async () => {
  const client = new pg.Client({ connectionString: databaseUrl(inject('postgres'), 'postgres') });
  await client.connect();
  try {
    await client.query('BEGIN');
    for (const [what, password] of PASSWORDS) {
      const name = `scram_${randomBytes(6).toString('hex')}`;
      await client.query(`CREATE ROLE ${name} PASSWORD ${client.escapeLiteral(password)}`);
      const { rows } = await client.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [name]);
      const secret = parseScramSecret(rows[0]?.rolpassword);
      if (!secret) throw new Error('the server made no SCRAM secret');
      const own = await makeSecret(preparePassword(password), secret.salt, secret.iterations);
      expect({ what, ...own }).toEqual({ what, ...secret });
    }
  } finally {
    await client.query('ROLLBACK');
    await client.end();
  }
});
