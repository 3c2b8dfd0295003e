import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { workspace } from './workspace.js';

const load = (file: string) => loadConfig({ flags: {}, env: {}, cwd: workspace({ 'pgcascade.yaml': file }) });

test.each([
  ['on', 'on'],
  ['off', 'off'],
  ['true', 'on'],
  ['false', 'off'],
  ['"on"', 'on'],
])('cascade.mode: %s is %s', (text, mode) => {
  expect(load(`cascade: { mode: ${text} }`).cascade.mode).toBe(mode);
});

test('cascade.mode: on is on under YAML 1.1 too, where it is a boolean', () => {
  expect(load('%YAML 1.1\n---\ncascade: { mode: on }\n').cascade.mode).toBe('on');
});

test.each([
  ['cascade', 'cascade'],
  ['set null', 'set null'],
  ['set_null', 'set null'],
  ['set_default', 'set default'],
  ['restrict', 'restrict'],
  ['no_action', 'no action'],
  ['SET NULL', 'set null'],
  ['Cascade', 'cascade'],
  ['NO_ACTION', 'no action'],
])('on_delete: %s is %s', (text, action) => {
  const { overrides } = load(`cascade: { overrides: [{ match: a.b.c, on_delete: ${text} }] }`).cascade;
  expect(overrides).toEqual([{ match: 'a.b.c', on_delete: action }]);
});

test('a relation has both sides as names of the catalog', () => {
  const { relations } = load(`
cascade:
  relations:
    - name: items_order_fkey
      from: Shop.items(order_id, "Line No")
      to: shop.orders(id, line)
      on_delete: cascade
`).cascade;
  expect(relations).toEqual([
    {
      name: 'items_order_fkey',
      from: { schema: 'shop', table: 'items', columns: ['order_id', 'Line No'] },
      to: { schema: 'shop', table: 'orders', columns: ['id', 'line'] },
      on_delete: 'cascade',
      on_update: 'no action',
      unique: true,
    },
  ]);
});

test('on_update of a relation is spelled as on_delete', () => {
  const relation = '{ name: n, from: a.b(c), to: a.d(e), on_delete: cascade, on_update: SET_NULL }';
  expect(load(`cascade: { relations: [${relation}] }`).cascade.relations[0]).toMatchObject({
    on_delete: 'cascade',
    on_update: 'set null',
  });
  const wrong = relation.replace('SET_NULL', 'nothing');
  expect(() => load(`cascade: { relations: [${wrong}] }`)).toThrow(/on_update: "nothing"/);
});

test('listen is a list, also where one address is given', () => {
  expect(load('listen: 0.0.0.0:1\nupstream: embedded').listen).toEqual(['0.0.0.0:1']);
  expect(load('listen: [0.0.0.0:1, "[::]:1", /run]\nupstream: embedded').listen).toEqual([
    '0.0.0.0:1',
    '[::]:1',
    '/run',
  ]);
});

test.each(['admin: null', 'admin: { listen: null }'])('%s turns the endpoint off', (file) => {
  expect(load(file).admin.listen).toBeNull();
});

test('a section whose keys are all commented out has its defaults', () => {
  expect(load('graph:\n  # refresh: 5s\n').graph.refresh).toBe(1000);
});

test('a key that aliases another has its value', () => {
  expect(load('limits: { login_timeout: &t 3s, drain_timeout: *t }').limits.drain_timeout).toBe(3000);
});
