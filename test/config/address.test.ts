import { expect, test } from 'vitest';
import {
  checkListenAddress,
  collide,
  formatAddress,
  localAddress,
  parseAddress,
} from '../../src/config/address.js';

test.each([
  ['127.0.0.1:6432', { host: '127.0.0.1', port: 6432 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:6432', { host: '::1', port: 6432 }],
])('%s is read, and written the same', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
  expect(formatAddress(address)).toBe(text);
});

test.each([
  '',
  '6432',
  ':6432',
  '127.0.0.1',
  '::1:6432',
  '[localhost]:1',
  '[::1',
  'a b:1',
  'h:1x',
  'h:65536',
])('%j is no address', (text) => {
  expect(() => parseAddress(text)).toThrow(JSON.stringify(text));
  expect(() => checkListenAddress(text)).toThrow(JSON.stringify(text));
});

test('an absolute path is the directory of a socket', () => {
  expect(checkListenAddress('/run/postgresql')).toBe('/run/postgresql');
});

test('a directory whose socket the system could not name is refused', () => {
  const longest = `/${'d'.repeat(88)}`;
  expect(checkListenAddress(longest)).toBe(longest);
  expect(() => checkListenAddress(`${longest}d`)).toThrow('is longer than the 103 bytes');
});

test.each([
  ['127.0.0.1:1', '*:1', true],
  ['[::]:1', '[::1]:1', true],
  ['[::]:1', 'localhost:1', true],
  ['[::]:1', '*:1', true],
  ['[::]:1', '127.0.0.1:1', false],
  ['[::]:1', '0.0.0.0:1', false],
  ['0.0.0.0:1', '*:1', true],
  ['0.0.0.0:1', '[::1]:1', false],
  ['127.0.0.1:1', '127.0.0.2:1', false],
  ['*:1', '*:2', false],
  ['*:0', '*:0', false],
])('%s and %s: nobody can listen on both: %s', (one, other, expected) => {
  expect(collide(parseAddress(one), parseAddress(other))).toBe(expected);
});

test.each([
  ['*:1', '127.0.0.1:1'],
  ['0.0.0.0:1', '127.0.0.1:1'],
  ['[::]:1', '[::1]:1'],
  ['db.example:1', 'db.example:1'],
])('who listens on %s is found on this machine at %s', (listened, found) => {
  expect(formatAddress(localAddress(parseAddress(listened)))).toBe(found);
});
