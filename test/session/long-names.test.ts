/** Names of prepared statements and portals as the server knows them: 63 bytes of them, in its own encoding. */
import { describe, test } from 'vitest';
import { ALL, type Side, useSides } from '../edge-cases/sides.js';
import { message, query } from '../support/frontend-messages.js';
import type { RawMessage } from '../support/raw-client.js';

const { sameOn } = useSides();

const SCHEMA = `
  CREATE TABLE s.p (id int PRIMARY KEY, a text);
  CREATE TABLE s.c (id int PRIMARY KEY, p_id int CONSTRAINT c_cascade REFERENCES s.p ON DELETE CASCADE KEYS);
  INSERT INTO s.p SELECT i, i FROM generate_series(1, 9) i;
  INSERT INTO s.c SELECT i, i FROM generate_series(1, 9) i;`;
const deletion = (id: number) => `DELETE FROM p WHERE id = ${id} RETURNING a`;

// Names are bytes: those of pg-protocol would be UTF-8.
const z = (text: string) => Buffer.from(`${text}\0`, 'latin1');
const utf8 = (text: string) => Buffer.from(text).toString('latin1');
const parse = (name: string, text: string) => message('P', z(name), z(text), Buffer.alloc(2));
const bind = (portal: string, statement: string) => message('B', z(portal), z(statement), Buffer.alloc(6));
const describeIt = (kind: 'S' | 'P', name: string) => message('D', z(kind + name));
const close = (kind: 'S' | 'P', name: string) => message('C', z(kind + name));
const execute = (portal: string) => message('E', z(portal), Buffer.alloc(4));
const sync = message('S');
const run = (statement: string, portal = '') =>
  Buffer.concat([bind(portal, statement), describeIt('P', portal), execute(portal)]);

const ask =
  (...units: readonly Buffer[]) =>
  async ({ client }: Side) => {
    const answers: RawMessage[] = [];
    for (const unit of units) answers.push(...(await client.ask(unit, ...(unit[0] === 0x51 ? [] : [sync]))));
    return answers;
  };
const same = (...units: readonly Buffer[]) => sameOn(ALL, SCHEMA, ask(...units));

const A = 'a'.repeat(63);

describe('71 a name of more than 63 bytes', () => {
  test('is the same as its first 63', () =>
    same(
      parse(`${A}1`, deletion(1)),
      describeIt('S', A),
      run(A),
      run(`${A}2`),
      close('S', `${A}3`),
      run(A),
      parse(A, 'SELECT 1 AS one'),
      run(`${A}4`),
    ));

  test('does not stand for two statements', () =>
    same(parse(`${A}1`, deletion(1)), parse(`${A}2`, 'SELECT 1 AS one'), run(`${A}2`), run(`${A}1`)));

  test('of a portal is the same as its first 63', () =>
    same(
      Buffer.concat([
        parse('', deletion(1)),
        bind(`${A}1`, ''),
        describeIt('P', A),
        execute(`${A}2`),
        execute(A),
        close('P', `${A}3`),
        bind(A, ''),
        execute(`${A}4`),
      ]),
      Buffer.concat([parse('', deletion(2)), bind(`${A}1`, ''), bind(`${A}2`, '')]),
    ));

  test('is cut in the middle of a character in the protocol, and before it in SQL', () => {
    const long = 'é'.repeat(32);
    return same(
      parse(utf8(long), deletion(1)),
      run(utf8(long).slice(0, 63)),
      query(`PREPARE "${long}" AS ${deletion(2)}`),
      query(`EXECUTE "${'é'.repeat(31)}"`),
      run(utf8('é'.repeat(31))),
      query(`DEALLOCATE "${long}"`),
      run(utf8(long)),
      run(utf8('é'.repeat(31))),
    );
  });

  test('can be dropped by DEALLOCATE', () =>
    same(
      parse(`${A}1`, deletion(1)),
      query(`EXECUTE "${A}2"`),
      query(`DEALLOCATE "${A}3"`),
      parse(`${A}4`, deletion(2)),
      run(A),
    ));
});

describe('a name in another encoding', () => {
  const LATIN1 = query(`SET client_encoding = 'LATIN1'`);

  test('is told from one that differs in a byte', () =>
    same(
      LATIN1,
      parse('\xe9', deletion(1)),
      parse('\xe8', 'SELECT 1 AS one'),
      run('\xe8', '\xe8'),
      run('\xe9', '\xe9'),
      Buffer.concat([bind('\xe9', '\xe9'), bind('\xe8', '\xe8'), execute('\xe8'), execute('\xe9')]),
      close('S', '\xe8'),
      run('\xe9'),
    ));

  test('is cut as the server has it', () =>
    same(
      LATIN1,
      parse('\xe9'.repeat(40), deletion(1)),
      run('\xe9'.repeat(35)),
      run('\xe9'.repeat(31)),
      parse('\xe9'.repeat(31), deletion(2)),
      run('\xe9'.repeat(31)),
    ));

  test('is the same when the encoding has changed', () =>
    same(
      parse(utf8('é'), deletion(1)),
      LATIN1,
      run('\xe9'),
      query('ALTER TABLE s.c ADD x int'),
      run('\xe9'),
    ));

  test('goes back to the server as it came when the statement is prepared anew', () =>
    sameOn(ALL, SCHEMA, async (side) => {
      const { client, ddl } = side;
      const key =
        'ALTER TABLE s.d ADD CONSTRAINT d_cascade FOREIGN KEY (p_id) REFERENCES s.p ON DELETE CASCADE KEYS';
      return [
        ...(await ask(
          LATIN1,
          query('CREATE TABLE s.d (p_id int)'),
          parse('\xe9', deletion(1)),
          run('\xe9'),
        )(side)),
        ...(await client.ask(query(ddl(key)))),
        ...(await ask(run('\xe9'), run('\xe9'))(side)),
      ];
    }));
});

test('a client may call its statements what the proxy might', () =>
  same(
    parse('pgcascade/piece', 'SELECT 1 AS one'),
    query('SET search_path = s; DELETE FROM p WHERE id = 1'),
    run('pgcascade/piece'),
  ));
