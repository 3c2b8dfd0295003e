import { expect, test } from 'vitest';
import { parseKeyColumns } from '../../src/config/key-columns.js';

test.each([
  ['shop.items(order_id)', 'shop', 'items', ['order_id']],
  ['Shop.Items ( Order_Id , b )', 'shop', 'items', ['order_id', 'b']],
  ['"My Schema"."T x"("a b")', 'My Schema', 'T x', ['a b']],
  ['"a.b"."c(d"("e,f", g)', 'a.b', 'c(d', ['e,f', 'g']],
  ['s.t("say ""hi""")', 's', 't', ['say "hi"']],
  ['s.Größe(Ä)', 's', 'größe', ['Ä']],
  ['s.a$1(_b)', 's', 'a$1', ['_b']],
])('%s is read as SQL reads it', (text, schema, table, columns) => {
  expect(parseKeyColumns(text)).toEqual({ schema, table, columns });
});

test.each([
  'items(id)',
  's.t',
  's.t()',
  's.t(a,)',
  's.t(a b)',
  's.t(a) x',
  'a.b.c(d)',
  's.1t(a)',
  's.""(a)',
  's."t(a)',
  '',
])('%j is refused', (text) => {
  expect(() => parseKeyColumns(text)).toThrow('is not of the form schema.table(column, …)');
});

test('a name longer than the catalog can hold is refused, for it could never be found', () => {
  expect(parseKeyColumns(`s.t(${'x'.repeat(63)})`).columns).toEqual(['x'.repeat(63)]);
  expect(() => parseKeyColumns(`s.t(${'x'.repeat(64)})`)).toThrow('is longer than 63 bytes');
  expect(() => parseKeyColumns(`s.t("${'é'.repeat(32)}")`)).toThrow('is longer than 63 bytes');
});
