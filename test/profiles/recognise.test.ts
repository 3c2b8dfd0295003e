/** A server is of the family that its host, its login or its version() says. */
import { describe, expect, test } from 'vitest';
import { CHOSEN_NAMES, FAMILIES } from '../../src/profiles/families/all.js';
import { UNKNOWN } from '../../src/profiles/families/unknown.js';
import { postgres, profileOf } from '../../src/profiles/profile.js';
import {
  answeredFamily,
  familyNamed,
  reportedFamily,
  WITHOUT_VERSION,
} from '../../src/profiles/recognise.js';

const reported = (parameters: Readonly<Record<string, string>>, host = 'db:5432') =>
  reportedFamily(host, (name) => parameters[name]);
/** The name of the family, and what the server is called. */
const told = (parameters: Readonly<Record<string, string>>, host?: string) => {
  const found = reported(parameters, host);
  return found.kind === 'asked'
    ? 'asked'
    : [found.kind, found.recognition.family.name, found.recognition.server];
};

describe('by its host and its login', () => {
  test.each([
    ['db:5432', { server_version: '16.2' }, 'asked'],
    ['db:5432', { server_version: '10.23' }, 'asked'],
    [
      'abc.dsql.us-east-1.on.aws:5432',
      { server_version: '16.2' },
      ['certain', 'dsql', 'Aurora DSQL (abc.dsql.us-east-1.on.aws:5432)'],
    ],
    ['dsql.us-east-1.on.aws.example.com:5432', { server_version: '16.2' }, 'asked'],
    ['db:5432', { server_version: '14.0', crate_version: '5.9.1' }, ['certain', 'cratedb', 'CrateDB 5.9.1']],
    [
      'db:5432',
      { server_version: '13.0.0', crdb_version: 'CockroachDB v23' },
      ['certain', 'cockroachdb', 'CockroachDB v23'],
    ],
    [
      'db:5432',
      { server_version: '15.0 (Duckgres)' },
      ['certain', 'duckdb', 'DuckDB (version 15.0 (Duckgres))'],
    ],
    [
      'db:5432',
      { server_version: '15.2-YB-2.25.0.0-b0' },
      ['certain', 'postgres-like', 'YugabyteDB (version 15.2-YB-2.25.0.0-b0)'],
    ],
    ['db:5432', { server_version: '8.0.2' }, ['maybe', 'unknown', 'version 8.0.2']],
    ['db:5432', {}, ['certain', 'unknown', 'one that reports no server_version']],
  ])('%s, %o', (host, parameters, expected) => {
    expect(told({ ...parameters }, host)).toEqual(expected);
  });
});

describe('by its version()', () => {
  const OLD = { family: UNKNOWN, server: 'version 8.0.2' };

  test.each([
    ['PostgreSQL 16.3 (Debian 16.3-1) on x86_64-pc-linux-gnu', 'postgres'],
    ['EnterpriseDB 16.3.0 on x86_64-pc-linux-gnu', 'postgres'],
    ['PostgreSQL 11.2-YB-2.19.0.0-b190 on x86_64-pc-linux-gnu', 'postgres-like'],
    ['PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:x)', 'greenplum'],
    ['PostgreSQL 12.12 (Greenplum Database 7.0.0 build commit:x)', 'greenplum'],
    ['PostgreSQL 14.4 (Apache Cloudberry 1.6.0 build 1)', 'greenplum'],
    ['PostgreSQL 9.4.26 (Greengage Database 6.27.1)', 'greenplum'],
    [
      'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.12103',
      'redshift',
    ],
    ['PostgreSQL 8.2.23 server protocol using H2 2.1.214 (2022-06-13)', 'h2'],
    ['CockroachDB CCL v23.1.2 (x86_64-pc-linux-gnu)', 'cockroachdb'],
    ['PostgreSQL 13.14.0-RisingWave-2.0.1', 'risingwave'],
    ['PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB', 'questdb'],
    ['PostgreSQL 15.0 (Materialize v0.68)', 'materialize'],
    ['FooDB 3.1, compatible with PostgreSQL 15.2', 'unknown'],
    ['PostgreSQL 9.6.24 on x86_64-pc-linux-gnu', 'unknown'],
  ])('%s', (version, name) => {
    const { family, server } = answeredFamily(version, WITHOUT_VERSION);
    expect([family.name, server.includes(version.slice(0, 60))]).toEqual([name, true]);
  });

  test('an old server that names nobody is called by what it reported', () => {
    expect(answeredFamily('PostgreSQL 8.0.2 on a machine', OLD)).toBe(OLD);
    expect(answeredFamily('PostgreSQL 8.0.2, Redshift 1.0', OLD).family.name).toBe('redshift');
  });

  test('one whose PostgreSQL is too old has no catalog, whatever it reports', () => {
    expect(answeredFamily('PostgreSQL 9.4.26 (Greenplum Database 6)', OLD).withoutCatalog).toBe(true);
    expect(answeredFamily('PostgreSQL 12.12 (Greenplum Database 7)', OLD).withoutCatalog).toBeUndefined();
  });
});

test('each name of the configuration is that of a family, and auto is none', () => {
  for (const name of CHOSEN_NAMES) expect(familyNamed(name)?.family.name).toBe(name);
  expect(familyNamed('auto')).toBeUndefined();
  const names = FAMILIES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('a catalog is asked for where it is one of PostgreSQL 10 or later', () => {
  const asked = FAMILIES.filter((family) => profileOf(family, 12).hasCatalog).map(({ name }) => name);
  expect(asked).toEqual(['postgres', 'postgres-like', 'dsql', 'citus', 'greenplum']);
  expect(FAMILIES.filter((family) => profileOf(family, 9).hasCatalog)).toEqual([]);
  expect(profileOf(postgres(18).family, 18)).toBe(postgres(18));
});
