import { describe, expect, test } from 'vitest';
import { parseBytes, parseDuration, ValueError } from '../../src/config/values/values.js';

describe('a duration', () => {
  test.each([
    ['250ms', 250],
    ['5s', 5000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['5 s', 5000],
    ['0', 0],
    [0, 0],
    ['0s', 0],
  ])('%j is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    [5, '5 has no unit: write 5s or 250ms'],
    ['30', '"30" has no unit: write 5s or 250ms'],
    ['5 days', '"5 days": the unit is not one of ms, s, m, h'],
    ['5S', '"5S": the unit is not one of ms, s, m, h'],
    ['1toString', '"1toString": the unit is not one of ms, s, m, h'],
    ['-5s', '"-5s" is not a number with a unit, such as 5s or 250ms'],
    ['', '"" is not a number with a unit, such as 5s or 250ms'],
    ['600h', '"600h" is too long: 24 days at most'],
  ])('%j is refused in words', (text, message) => {
    expect(() => parseDuration(text)).toThrow(new ValueError(message));
  });
});

describe('a size', () => {
  test.each([
    ['1000B', 1000],
    ['1KiB', 1024],
    ['64MiB', 67_108_864],
    ['1GiB', 1_073_741_824],
    ['0.5KiB', 512],
  ])('%j is %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each([
    ['64MB', '"64MB": the unit is not one of B, KiB, MiB, GiB'],
    [1024, '1024 has no unit: write 64MiB or 1000B'],
    [0, '0 is not a size above 0'],
    ['99999999GiB', '"99999999GiB" is too large'],
  ])('%j is refused in words', (text, message) => {
    expect(() => parseBytes(text)).toThrow(new ValueError(message));
  });
});
