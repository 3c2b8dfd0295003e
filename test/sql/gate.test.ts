import { expect, test } from 'vitest';
import { type SessionEffect, sessionEffect } from '../../src/sql/gate.js';

test.each<readonly [string, SessionEffect]>([
  ['select 1', 'none'],
  ['/* a tool */ select 1', 'none'],
  ['-- a tag\n/* another */\t-- third\r\n  DELETE FROM t', 'none'],
  ['/**/delete from t', 'none'],
  ['-- a tag\ncommit', 'ends'],
  ['/* a */ set x = 1', 'settings'],
  ['/* a */ create table t ()', 'schema'],
  // What stands in a comment is none of the statement.
  ['-- select\rcreate table t ()', 'schema'],
  ['/* /* */ select */ create table t ()', 'schema'],
  ['/* select', 'schema'],
  ['-- select', 'schema'],
  ['/* a */ select 1 into t', 'schema'],
  ['-- a\nwith x as (select 1) select * into t from x', 'schema'],
  ['prepare transaction_1 as delete from t', 'none'],
  ['prepare transaction $$x$$', 'ends'],
  ['prepare/* a */ transaction $$x$$', 'ends'],
  ['prepare /* /* */ */ transaction $$x$$', 'schema'],
  ['commit /* a tag */', 'ends'],
  ['commit prepared $$x$$', 'schema'],
  ['commit/* a */prepared $$x$$', 'schema'],
  ['rollback -- a\nprepared $$x$$', 'schema'],
  ['commit /* /* */ */ prepared $$x$$', 'schema'],
  ['select 1; /* a */ create table t ()', 'schema'],
])('%j may change, of what comes after it: %s', (text, effect) => {
  expect(sessionEffect(Buffer.from(text))).toBe(effect);
});

test.each(['-', '--\n', '/*', '/**/', ' ', '/* *'])('a long run of %j is read through once', (piece) => {
  expect(sessionEffect(Buffer.from(`${piece.repeat(200_000)}x`))).toBe('schema');
});
