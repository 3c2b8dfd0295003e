/** `pgcascade doctor` of a role that may not do everything: what it lacks, and what cannot be seen. */
import { expect, test } from 'vitest';
import { createRole, examined, SOUND } from './examined.js';

test('notes what the role may not do, and cannot see', async () => {
  const role = await createRole();
  const { exit, findings } = await examined(
    `${SOUND} GRANT SELECT ON orgs TO ${role}; GRANT DELETE ON orgs TO ${role}`,
    '',
    role,
  );
  expect(exit).toBe(0);
  expect(findings.map(({ check, text }) => [check, text])).toEqual([
    ['orphans', expect.stringContaining('permission denied for table users')],
    ['rights', expect.stringContaining('lacks SELECT on "public"."users"')],
    ['rights', expect.stringContaining('lacks DELETE on "public"."users"')],
  ]);
});

test('a schema that the role may not use, and a key of the referenced table that it may not read', async () => {
  const role = await createRole();
  const { findings } = await examined(
    `${SOUND} CREATE SCHEMA "In"; ALTER TABLE users SET SCHEMA "In"; GRANT ALL ON "In".users TO ${role};
    GRANT DELETE ON orgs TO ${role}`,
    '',
    role,
  );
  expect(findings.filter(({ check }) => check === 'rights')).toMatchObject([
    {
      text: expect.stringMatching(
        /lacks USAGE on SCHEMA "In", .*: its DELETE from "public"\."orgs" fails with 42501\.$/,
      ),
      remedy: expect.stringMatching(/^GRANT USAGE ON SCHEMA "In" TO "weak_/),
    },
    { text: expect.stringMatching(/lacks SELECT on "public"\."orgs", which the key "users_org"/) },
  ]);
});

test.each([
  ['{ locks: rows }', [/UPDATE on "public"\."orgs", .* is sent without locks/]],
  [
    '{ guard: lock }',
    [/UPDATE on "public"\."orgs", .* what it writes to "public"\."users" fails with 42501/],
  ],
  ['{ strategy: ordered, locks: rows }', [/UPDATE on "public"\."orgs", .* its DELETE .* fails with 42501/]],
  ['{ locks: tables }', []],
  ['{ locks: none }', []],
])('the right to lock, where the configuration has rows locked: %s', async (cascade, expected) => {
  const role = await createRole();
  const { findings } = await examined(
    `${SOUND} GRANT SELECT, DELETE ON orgs TO ${role}; GRANT ALL ON users TO ${role}`,
    `cascade: ${cascade}`,
    role,
  );
  expect(findings.map(({ text }) => text)).toEqual(expected.map((each) => expect.stringMatching(each)));
});

test('the right to lock a table that a rule only reads, where the configuration has tables locked', async () => {
  const role = await createRole();
  const { findings } = await examined(
    `CREATE TABLE orgs (id int PRIMARY KEY); CREATE TABLE bills (org int REFERENCES orgs ON DELETE RESTRICT NOT ENFORCED);
    CREATE INDEX ON bills (org); GRANT SELECT, DELETE ON orgs TO ${role}; GRANT SELECT ON bills TO ${role}`,
    'cascade: { locks: tables }',
    role,
  );
  expect(findings.filter(({ check }) => check === 'rights')).toMatchObject([
    {
      text: expect.stringMatching(
        /lacks all of UPDATE, DELETE, TRUNCATE on "public"\."bills", .* fails with 42501, as cascade\.locks has the table locked/,
      ),
      remedy: expect.stringMatching(/^GRANT UPDATE ON "public"\."bills" TO "weak_/),
    },
  ]);
});

test('takes no row for an orphan whose parent row security hides', async () => {
  const role = await createRole();
  const { exit, findings } = await examined(
    `${SOUND} ALTER TABLE orgs ENABLE ROW LEVEL SECURITY; GRANT ALL ON orgs, users TO ${role}`,
    '',
    role,
  );
  expect({ exit, findings }).toMatchObject({
    exit: 0,
    findings: [
      {
        level: 'note',
        check: 'orphans',
        text: expect.stringContaining('row-level security policy for table "orgs"'),
      },
    ],
  });
});
