/** What is asked of a text without parsing it, beside the look: where its words stand decides. */
import { expect, test } from 'vitest';
import { mayChangeReading } from '../../src/sql/lexer/changes-reading.js';
import { hasParameters } from '../../src/sql/lexer/parameters.js';

test.each([
  ['SET client_encoding = latin1', true],
  ['set /* x */ "client_encoding" to latin1', true],
  [String.raw`SET SESSION U&"client\005fencoding" = 'latin1'`, true],
  [String.raw`RESET U&"client\005fencoding"`, true],
  ["SELECT set_config('a.b', 'c', false)", true],
  ['DO $$ BEGIN SET standard_conforming_strings = off; END $$', true],
  ["SET NAMES 'latin1'", true],
  ['DISCARD ALL', true],
  ['RESET ALL', true],
  ['RESET search_path', false],
  ['SELECT ALL 1', false],
  [String.raw`SET search_path = a; DELETE FROM U&"t\0061"`, false],
  ['SET my_client_encoding.a = 1; SELECT nameset FROM usernames', false],
  ['/* '.repeat(100_000), false],
])('%.60s may change how a text is read: %s', (text, changes) => {
  expect(mayChangeReading(Buffer.from(text))).toBe(changes);
});

test.each([
  ['= $1', true],
  ["= '$1'", false],
  [`= "$1" /* $2 */ -- $3`, false],
  ['= $q$ $1 $q$', false],
  ['= a$1', false],
  [`= 'a' + $12`, true],
])('%s has parameters: %s', (text, has) => {
  expect(hasParameters(text)).toBe(has);
});
