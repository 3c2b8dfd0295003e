import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.js';
import { workspace } from '../config/workspace.js';
import { run } from './run.js';

describe('a command line', () => {
  test('serves, where no command is given', () => {
    expect(parseArguments([])).toEqual({ command: 'serve', flags: {} });
  });

  test('gives its flags to the configuration', () => {
    const argv = [
      'check-config',
      '-c',
      'x.yaml',
      '--listen',
      'a:1',
      '--listen=b:2',
      '--upstream',
      'u',
      '--profile=p',
    ];
    expect(parseArguments(argv)).toEqual({
      command: 'check-config',
      flags: { config: 'x.yaml', listen: ['a:1', 'b:2'], upstream: 'u', profile: 'p' },
    });
  });

  test('--help and --version are understood everywhere', () => {
    for (const command of [[], ['serve'], ['check-config'], ['graph']]) {
      expect(parseArguments([...command, '--help'])).toEqual({ command: 'help' });
      expect(parseArguments([...command, '-v'])).toEqual({ command: 'version' });
      expect(parseArguments([...command, '-V'])).toEqual({ command: 'version' });
    }
    expect(parseArguments(['help'])).toEqual({ command: 'help' });
    expect(parseArguments(['help', 'serve'])).toEqual({ command: 'help' });
    expect(parseArguments(['version'])).toEqual({ command: 'version' });
  });

  test.each([
    [['run'], 'unknown command "run"'],
    [['versoin'], 'unknown command "versoin", did you mean version?'],
    [['serv'], 'unknown command "serv", did you mean serve?'],
    [['chek-config'], 'unknown command "chek-config", did you mean check-config?'],
    [['--lisen', 'x'], 'unknown flag --lisen, did you mean --listen?'],
    [['--upstrem=x'], 'unknown flag --upstrem, did you mean --upstream?'],
    [['check-config', '--confg', 'x'], 'unknown flag --confg, did you mean --config?'],
    [['--zzz'], 'unknown flag --zzz'],
    [['-x'], 'unknown flag -x'],
    [['--listen'], "Option '--listen <value>' argument missing"],
    [['serve', 'now'], 'serve takes no argument "now"'],
    [['graph', '--format', 'tree'], 'graph is not yet supported'],
    [['explain', 'DELETE FROM t'], 'explain is not yet supported'],
    [['serve', '--url', 'postgres://u@h/d'], '--url is for doctor, install, uninstall'],
    [['install', '--format', 'json'], '--format is for doctor and script'],
    [['serve', '--schema', 'x.sql'], '--schema is for script'],
    [['doctor', '--out', 'x'], '--out is for script'],
    [
      ['script', '--dialect', 'sqlite', 'DELETE FROM t'],
      'script needs --schema FILE: the tables, as a dump without data has them',
    ],
    [
      ['script', '--schema', 's', 'DELETE FROM t'],
      'script needs --dialect: sqlite, mysql, mariadb, postgresql',
    ],
    [
      ['script', '--schema', 's', '--dialect', 'sqlit', 'DELETE FROM t'],
      '--dialect is one of sqlite, mysql, mariadb, postgresql, not "sqlit": did you mean sqlite?',
    ],
    [
      ['script', '--schema', 's', '--dialect', 'sqlite', '--format', 'svg', 'DELETE FROM t'],
      '--format is one of text, json, not "svg"',
    ],
    [
      ['script', '--schema', 's', '--dialect', 'sqlite'],
      'script needs a statement: pgcascade script … "DELETE FROM orgs WHERE id = 1"',
    ],
    [
      ['script', '--schema', 's', '--dialect', 'sqlite', 'DELETE', 'FROM'],
      'script takes one statement, and "FROM" is a second one: quote it as a whole',
    ],
    [
      ['script', '--schema', 's', '--dialect', 'sqlite', '--upstream', 'x', 'DELETE FROM t'],
      'script takes no --upstream: it reads no configuration',
    ],
    [['doctor', '--format', 'yaml'], '--format is text or json, not "yaml"'],
    [['doctor', '--url', 'postgres://u@h/d', 'more'], 'doctor takes no argument "more"'],
  ])('%j is refused in words', (argv, message) => {
    expect(parseArguments(argv)).toEqual({ command: 'refuse', message: expect.stringContaining(message) });
  });
});

describe('check-config', () => {
  test('says what had a say, and gives 0', async () => {
    const { code, written } = run(['check-config', '--profile', 'postgres'], undefined, {
      PGCASCADE_LISTEN: 'localhost:1',
    });
    expect(await code).toBe(0);
    expect(written).toEqual(['out: configuration ok: PGCASCADE_LISTEN, --profile']);
  });

  test('says what is wrong on stderr, and gives 2', async () => {
    const { code, written } = run(['check-config', '--profile', 'x']);
    expect(await code).toBe(2);
    expect(written).toEqual([
      'err: --profile: "x" is not one of auto, postgres, postgres-like, dsql, redshift, greenplum, citus, duckdb, cratedb, h2, sqlite',
    ]);
  });

  test('reads the file of users, and warns of one that others can read', async () => {
    const file = (text: string) => join(workspace({ users: text }), 'users');
    const check = (users: string) =>
      run(['check-config'], undefined, { PGCASCADE_AUTH_MODE: 'proxy', PGCASCADE_AUTH_USERS: users });
    const [good, bad] = [file('"ann" "hush"'), file('; users\nann hush')];
    chmodSync(good, 0o644);
    const warned = check(good);
    expect(await warned.code).toBe(0);
    expect(warned.written).toEqual([
      expect.stringMatching(/^err: warning: auth.users: .* can be read or written by every user/),
      'out: configuration ok: PGCASCADE_AUTH_MODE, PGCASCADE_AUTH_USERS',
    ]);
    const refused = check(bad);
    expect(await refused.code).toBe(2);
    expect(refused.written).toEqual([
      `err: ${bad}:2: is not of the form "name" "secret", each in double quotes`,
    ]);
  });

  test('says of the record of cascades what the start would say, and makes no file', async () => {
    const folder = workspace({ there: '' });
    const check = (path: string) => run(['check-config'], undefined, { PGCASCADE_AUDIT_PATH: path });
    for (const name of ['there', 'new']) expect(await check(join(folder, name)).code, name).toBe(0);
    expect(readdirSync(folder)).toEqual(['there']);
    for (const [path, reason] of [
      [folder, 'illegal operation on a directory'],
      [join(folder, 'none', 'audit'), 'no such file or directory'],
      [join(folder, 'there', 'audit'), 'not a directory'],
    ] as const) {
      const { code, written } = check(path);
      expect(await code, reason).toBe(2);
      expect(written).toEqual([`err: audit.path: ${path} cannot be opened: ${reason}`]);
    }
  });

  test('says of files of TLS towards the server what the first login would say', async () => {
    const folder = workspace({ 'no.crt': 'none', 'no.key': 'none' });
    chmodSync(join(folder, 'no.key'), 0o600);
    const checked = async (key: string, url: string) => {
      const { code, written } = run(['check-config'], undefined, { [`PGCASCADE_${key}`]: url });
      return [await code, written.join()];
    };
    const missing = `root certificate file "${folder}/none" does not exist`;
    const said = (text: string) => expect.stringContaining(text);
    expect(
      await checked('GRAPH_URL', `postgres://me:hush@db/shop?sslmode=verify-ca&sslrootcert=${folder}/none`),
    ).toEqual([2, said(`err: graph.url: ${missing}`)]);
    const upstream = (query: string) =>
      checked('UPSTREAM', `postgres://db?${query.replaceAll('@', `${folder}/`)}`);
    expect(await upstream('sslmode=require&sslrootcert=@no.crt')).toEqual([2, said('no certificate in it')]);
    expect(await upstream('sslmode=require&sslcert=@no.crt&sslkey=@no.key')).toEqual([
      2,
      said(`certificate file "${folder}/no.crt" has no certificate in it`),
    ]);
    expect(await upstream('sslmode=require&sslcert=@gone')).toEqual([2, said('could not read certificate')]);
    expect(await upstream('sslcert=@gone')).toEqual([0, said('err: warning: upstream: could not read')]);
    expect(await upstream('sslmode=disable&sslcert=@gone')).toEqual([0, said('configuration ok')]);
  });
});
