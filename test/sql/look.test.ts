/** What is said of a text without parsing it. */
import { describe, expect, test } from 'vitest';
import {
  isNoteworthy,
  lookAt,
  makesKeys,
  mayTakeData,
  mayWrite,
  type SessionEffect,
  type TextSettings,
} from '../../src/sql/lexer/look.js';
import { GROUPS } from '../../src/sql/lexer/vocabulary.js';

const ON: TextSettings = { strings: 'on', hasHalves: false };
const OFF: TextSettings = { ...ON, strings: 'off' };
const UNKNOWN: TextSettings = { ...ON, strings: 'unknown' };
const HALVES: TextSettings = { ...ON, hasHalves: true };
const look = (text: string | Buffer, settings = ON) => lookAt(Buffer.from(text), settings);

test.each<readonly [string, SessionEffect]>([
  ['select 1', 'none'],
  ['(select 1) union (select 2)', 'none'],
  ['/* a tool */ select 1', 'none'],
  ['-- a tag\n/* another */\t-- third\r\n  DELETE FROM t', 'none'],
  ['/**/delete from t', 'none'],
  ['', 'none'],
  ['-- select', 'none'],
  [';;', 'none'],
  ['-- a tag\ncommit', 'transactionEnd'],
  // Settings that decide nothing, and others.
  ['/* a */ set x = 1', 'none'],
  ["set local app.tenant to 'search_path'", 'none'],
  ['set session "x" = 1', 'none'],
  ['set search_path = a', 'settings'],
  ['SET LOCAL "search_path" TO a', 'settings'],
  ['set u&"se\\0061rch_path" = a', 'settings'],
  ["set schema 'a'", 'settings'],
  ['set role a', 'settings'],
  ['set session authorization a', 'settings'],
  ['set pgcascade.mode = off', 'settings'],
  ['set session_replication_role to replica', 'settings'],
  ['set transaction isolation level serializable', 'settings'],
  ['reset x', 'none'],
  ['reset all', 'settings'],
  ['reset search_path', 'settings'],
  ['reset session authorization', 'settings'],
  ['discard all', 'settings'],
  ['select set_config(\'request.jwt.claims\', \'{"role": "a"}\', true)', 'none'],
  [
    "select pg_catalog.set_config /* a */ ('a.b', $1, true), set_config('statement_timeout', '1s', false)",
    'none',
  ],
  ["select set_config('a.b', '', true), set_config('role', $1, true)", 'settings'],
  ["select set_config('ROLE', $1, true)", 'settings'],
  ["select set_config('pgcascade.mode', 'off', false)", 'settings'],
  ["select set_config('search' || '_path', $1, true)", 'settings'],
  ["select set_config('search'\n'_path', $1, true)", 'settings'],
  ["select set_config(E'\\x73earch_path', $1, true)", 'settings'],
  ["select set_config(U&'\\0073earch_path', $1, true)", 'settings'],
  ['select set_config($$search_path$$, $1, true)', 'settings'],
  ["select set_config(setting_name => 'search_path', new_value => '', is_local => true)", 'settings'],
  ['select set_config($1, $2, true)', 'settings'],
  ['select "set_config"($1, $2, true)', 'settings'],
  ['select u&"set\\005fconfig"($1, $2, true)', 'settings'],
  ['select set_config', 'settings'],
  ["update pg_settings set setting = 'a' where name = 'search_path'", 'settings'],
  ["select 'set_config', $$set_config($$ -- set_config(\n", 'none'],
  // What stands in a literal or a comment is none of the statement.
  ["insert into t values ('hello; world')", 'none'],
  ["insert into t values (E'\\'; create table t ()')", 'none'],
  ['insert into t values ($a$; create table t ()$a$)', 'none'],
  ['select 1 /* ; drop table t */', 'none'],
  ['select 1 as "; drop table t"', 'none'],
  ["select 'a' -- b\n '; drop table t'", 'none'],
  ['-- select\rcreate table t ()', 'schema'],
  ['/* /* */ select */ create table t ()', 'schema'],
  ['/* a */ create table t ()', 'schema'],
  ["select '1'; create table t ()", 'schema'],
  ['select 1; /* a */ create table t ()', 'schema'],
  ['begin; insert into t values (1); commit', 'transactionEnd'],
  ['begin; set search_path = a; commit', 'settings'],
  // Temporary tables are the session's own, unless a key or a parent makes them part of its graph.
  ['create temp table t (id int primary key)', 'temporary'],
  ['/* a */ CREATE LOCAL TEMPORARY TABLE IF NOT EXISTS t AS SELECT 1', 'temporary'],
  ['create global temp table t (like u including all) on commit drop', 'temporary'],
  ["create temp table t (a text default 'references')", 'temporary'],
  ['create temp table t as execute p', 'settings'],
  ["create temp table t as select set_config('search_path', 'a', true)", 'settings'],
  ['commit; create temp table t (id int)', 'settings'],
  ['create temp table t (id int references u)', 'schema'],
  ['create temp table t (id int, foreign key (id) references u)', 'schema'],
  ['create temp table t () inherits (u)', 'schema'],
  ['create temp table t partition of u default', 'schema'],
  ['create temp table t (id int); create temp table u (id int)', 'settings'],
  ['create temp table t (id int); alter table t add foreign key (id) references u', 'schema'],
  ['create temp view t as select 1', 'schema'],
  ['create temp /* table */ sequence t', 'schema'],
  ['create table temp (id int)', 'schema'],
  ['create temp "table" t', 'schema'],
  // These change neither keys nor what they touch.
  ['truncate t restart identity cascade', 'none'],
  ["comment on table t is 'a'", 'none'],
  ['reindex table t', 'none'],
  ['cluster t using i', 'none'],
  ['refresh materialized view t', 'none'],
  // What has no end the server refuses; another server may not.
  ['/* select', 'schema'],
  ["'select", 'schema'],
  // SELECT … INTO makes a table.
  ['/* a */ select 1 into t', 'schema'],
  ['-- a\nwith x as (select 1) select * into t from x', 'schema'],
  ['(select 1 into t)', 'schema'],
  ['select insert into t from x', 'schema'],
  ['with x as (select 1) select (1) insert into t', 'schema'],
  ['with x as (insert into t values (1) returning *) select * from x', 'none'],
  ['with x as (select 1) insert into t select * from x', 'none'],
  ['with x as (merge into t using s on true when matched then delete) select 1', 'none'],
  ['explain analyze select 1 into t', 'schema'],
  ['explain analyze create table t as select 1', 'schema'],
  ['explain analyze execute p', 'settings'],
  ['explain (analyze) insert into t values (1)', 'none'],
  ['execute p', 'settings'],
  ['prepare transaction_1 as delete from t', 'none'],
  ['prepare transaction $$x$$', 'transactionEnd'],
  ['prepare/* a */ transaction $$x$$', 'transactionEnd'],
  ['prepare /* /* */ */ transaction $$x$$', 'transactionEnd'],
  ['commit /* a tag */', 'transactionEnd'],
  ['commit prepared $$x$$', 'schema'],
  ['commit/* a */prepared $$x$$', 'schema'],
  ['rollback -- a\nprepared $$x$$', 'schema'],
  ['commit /* /* */ */ prepared $$x$$', 'schema'],
])('%j may change, of what comes after it: %s', (text, effect) => {
  expect(look(text).effect).toBe(effect);
});

describe('of a text that makes a temporary table', () => {
  test.each([
    'create temp table orgs (id int)',
    'create temp table if not exists "orgs" (id int)',
    `/* "a' */ create temp table pg_temp./* b */ORGS (id int)`,
    `create temp table "a"."orgs" (a text default '--') -- all`,
  ])('the name is among the words: %s', (text) => {
    expect(look(text).words).toContain('orgs');
  });

  test.each([
    "create temp table t (a text default U&'orgs')",
    `create temp table t (id int) /* ${'a long comment '.repeat(1000)} */`,
  ])('no words are known where any name may be among them: %#', (text) => {
    expect(look(text)).toMatchObject({ effect: 'temporary', words: undefined });
  });

  test('it may do as much as one that sets something, where its name is written in numbers of characters', () => {
    expect(look('create temp table U&"\\006frgs" (id int)').effect).toBe('settings');
  });

  test('words of which the name is a part are others', () => {
    const { words } = look('create temp table orgs_1 (my_orgs int, "orgs2$x" int)');
    expect(words).toEqual(new Set(['create', 'temp', 'table', 'orgs_1', 'my_orgs', 'int', 'orgs2$x']));
  });
});

test.each([
  "'it''s a delete'",
  "E'\\' delete '",
  '"delete"',
  '$a$ delete $b$ delete $a$',
  'x$delete',
  '/* /**/ delete */1',
])('a word in %s is none of the statement', (text) => {
  expect(isNoteworthy(look(`INSERT INTO t SELECT ${text}`), true)).toBe(false);
  expect(isNoteworthy(look(`INSERT INTO t SELECT ${text}; DELETE FROM t`), true)).toBe(true);
});

test.each([
  // The quote after the backslash ends a plain string, unless standard_conforming_strings is off.
  ["SELECT '\\', '; DELETE FROM t; --'", { on: false, off: true }],
  ["SELECT '\\'; DELETE FROM t; --'", { on: true, off: false }],
  ["SELECT 'a' '\\\\'; DELETE FROM t", { on: true, off: true }],
  ["SELECT E'\\'; DELETE FROM t; --'", { on: false, off: false }],
  ["SELECT N'\\'; DELETE FROM t; --'", { on: true, off: false }],
] as const)('%j: what its backslashes mean decides, and where that is not known it may delete', (text, {
  on,
  off,
}) => {
  const noteworthy = (settings: TextSettings) => isNoteworthy(look(text, settings), false);
  expect([noteworthy(ON), noteworthy(OFF)]).toEqual([on, off]);
  expect(noteworthy(UNKNOWN)).toBe(on || off);
});

test('where a byte can be half of a character, words in literals count too', () => {
  // In SJIS the first literal ends after the backslash, which is half of a character.
  const text = Buffer.from(`SELECT E'\x83\x5c', '; DELETE FROM t; --'`, 'latin1');
  expect(isNoteworthy(lookAt(text, HALVES), false)).toBe(true);
  expect(lookAt(text, HALVES).effect).toBe('schema');
  const insert = { effect: 'none', groups: GROUPS.writing };
  expect(look("INSERT INTO t VALUES ('delete')", HALVES)).toMatchObject(insert);
});

test('a text may write that has a word of a statement which writes', () => {
  for (const text of [
    'insert into t values (1)',
    'WITH a AS (UPDATE t SET x = 1) TABLE a',
    'MERGE',
    'COPY t FROM STDIN',
  ])
    expect(mayWrite(look(text))).toBe(true);
  for (const text of ["SELECT 'insert'", 'SELECT "update" FROM t', 'DELETE FROM t', '/* merge */ BEGIN'])
    expect(mayWrite(look(text))).toBe(false);
});

test('a COPY takes data from the client where its words stand in no literal', () => {
  expect(mayTakeData(look('copy t from stdin'))).toBe(true);
  expect(mayTakeData(look('COPY t FROM/**/STDOUT'))).toBe(true);
  expect(mayTakeData(look('UPLOAD_MANIFEST'))).toBe(true);
  expect(mayTakeData(look("select 'copy t from stdin'"))).toBe(false);
  expect(mayTakeData(look("copy t from 'stdin'"))).toBe(false);
});

test('keys come from words outside of literals', () => {
  expect(makesKeys(look('create table t (a int references s)'))).toBe(true);
  expect(makesKeys(look('do $$ begin end $$'))).toBe(true);
  expect(makesKeys(look("insert into t values ('references')"))).toBe(false);
});

test.each<readonly [string, number]>([
  ['', 0],
  [';; -- a', 0],
  ['select 1', 1],
  ["select ';';", 1],
  ['select 1; select 2;; select 3', 3],
  ['create rule r as on insert to t do also (select 1; select 2); select 3', 2],
  [
    'create function f() returns int begin atomic select case when true then 1 end; select 2; end; select 3',
    2,
  ],
])('%j has %i statements', (text, count) => {
  expect(look(text).statements).toBe(count);
});

test.each([
  '-',
  '--\n',
  '/*',
  '/**/',
  ' ',
  '/* *',
  "'",
  "' ",
  "'\n",
  '"',
  '$',
  '$a',
  '$a$',
  '$$',
  "E'\\",
  '(',
  ';',
  '\\',
])('a long run of %j is read through without going back', (piece) => {
  const length = 200_000;
  for (const settings of [ON, OFF, UNKNOWN]) {
    const { statements } = look(`${piece.repeat(length)}x`, settings);
    expect(statements).toBeLessThanOrEqual(length + 1);
  }
});
