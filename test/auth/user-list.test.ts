/** The file of users, as PgBouncer reads it, and what is said of one that cannot be used. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAuthFiles } from '../../src/auth/users/auth-files.js';
import { parseUserList } from '../../src/auth/users/user-list.js';
import { Users } from '../../src/auth/users/users.js';
import { workspace } from '../config/workspace.js';

const readUsers = (users: string) => readAuthFiles({ users, map: null });
const KEY = Buffer.alloc(32, 1).toString('base64');
const SCRAM = `SCRAM-SHA-256$20000:c2FsdHNhbHRzYWx0c2FsdA==$${KEY}:${KEY}`;

test('names and secrets stand in double quotes, which are doubled inside of them', () => {
  const text = `; a comment
"ann" "secret"

  "b ob""s"   "it's ""quoted"""   ; whatever stands here is ignored
\t"carl" "${SCRAM}"\r
`;
  const { entries, problems } = parseUserList(text);
  expect(problems).toEqual([]);
  expect(entries).toEqual([
    { name: 'ann', secret: { kind: 'password', password: 'secret' } },
    { name: 'b ob"s', secret: { kind: 'password', password: 'it\'s "quoted"' } },
    { name: 'carl', secret: { kind: 'scram', secret: expect.objectContaining({ iterations: 20_000 }) } },
  ]);
});

test.each([
  ['ann secret', /form "name" "secret"/],
  ['"ann"', /form "name" "secret"/],
  ['"ann" "hush', /form "name" "secret"/],
  ['"ann "hush"', /form "name" "secret"/],
  ['# "ann" "hush"', /form "name" "secret"/],
  ['"" "hush"', /has no name/],
  [`"${'é'.repeat(32)}" "hush"`, /more than 63 bytes/],
  ['"ann" "hu\0sh"', /zero byte/],
  ['"ann" ""', /user "ann" has an empty password/],
  ['"ann" "md50123456789abcdef0123456789abcdef"', /user "ann" has an MD5 secret.*pg_authid/],
  ['"ann" "SCRAM-SHA-256$hush"', /user "ann" has a secret that begins as one of SCRAM/],
  ['"bob" "hush"', /user "bob" is in line 1 already/],
])('%j is a problem that names its line, and repeats no secret', (content, text) => {
  const { problems } = parseUserList(`"bob" "secret"\n${content}\n"zoe" "secret"`);
  expect(problems).toEqual([{ line: 2, text: expect.stringMatching(text) }]);
  expect(JSON.stringify(problems)).not.toMatch(/hush|0123456789/);
});

test('a file of users is refused with each line that cannot be used', async () => {
  const path = join(workspace({ users: '"ann" "hush"\nann\n\nbob\n' }), 'users');
  await expect(readUsers(path)).rejects.toThrow(
    `${path}:2: is not of the form "name" "secret", each in double quotes\n${path}:4: is not`,
  );
});

test('a file of users that is not there, or is not UTF-8, is refused by its name', async () => {
  const folder = workspace();
  writeFileSync(join(folder, 'latin1'), Buffer.from('"ann" "h\xfcsh"', 'latin1'));
  await expect(readUsers(join(folder, 'none'))).rejects.toThrow(/none cannot be read: no such file/);
  await expect(readUsers(join(folder, 'latin1'))).rejects.toThrow(/latin1 is not UTF-8/);
});

test.each([
  [0o600, 0],
  [0o640, 0],
  [0o644, 1],
  [0o602, 1],
])('a file of users with the rights %o is warned of %i times', async (mode, times) => {
  const path = join(workspace({ users: '"ann" "hush"' }), 'users');
  chmodSync(path, mode);
  expect((await readUsers(path)).warnings).toHaveLength(times);
});

test('a file that was cut down to nothing is warned of: nobody whom it had can log in', async () => {
  const folder = workspace({ users: '; nobody\n', map: '' });
  for (const name of ['users', 'map']) chmodSync(join(folder, name), 0o600);
  const { warnings } = await readAuthFiles({ users: join(folder, 'users'), map: join(folder, 'map') });
  expect(warnings).toEqual([
    expect.stringMatching(/^auth\.users: .*users has no user in it$/),
    expect.stringMatching(/^auth\.map: .*map has no line in it: nobody can log in$/),
  ]);
});

test('a name that nobody has is answered as one that somebody has, and always alike', async () => {
  const { entries } = parseUserList(`"ann" "secret"\n"carl" "${SCRAM}"`);
  const users = await Users.of(entries);
  const nobody = users.find('nobody');
  expect(nobody.known).toBeUndefined();
  expect(nobody.scram).toEqual(users.find('nobody').scram);
  expect(nobody.scram.salt).not.toEqual(users.find('nobodies').scram.salt);
  const shapes = ['nobody', 'ann', 'carl'].map((name) => {
    const { iterations, salt, storedKey } = users.find(name).scram;
    return [iterations, salt.length, storedKey.length];
  });
  expect(new Set(shapes.map(String))).toEqual(new Set(['20000,16,32']));
});
