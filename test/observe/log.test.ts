import { expect, test } from 'vitest';
import { createLogger } from '../../src/observe/log.js';

function logger(format: 'auto' | 'json' | 'pretty', isTTY = false, level: 'info' | 'warn' = 'info') {
  const lines: string[] = [];
  const log = createLogger({ level, format }, { isTTY, write: (line) => lines.push(line) });
  return { log, lines };
}

test('json is one object a line, with level, time, message and fields', () => {
  const { log, lines } = logger('json', true);
  log.child({ client: 7 }).warn('slow');
  expect(lines).toEqual([expect.stringMatching(/\}\n$/)]);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    client: 7,
    msg: 'slow',
  });
});

test('pretty is time, level, message and fields', () => {
  const { log, lines } = logger('pretty');
  log.info({ client: 7, database: 'shop', keys: ['a'] }, 'listening on 127.0.0.1:6432');
  expect(lines[0]).toMatch(
    /^\d\d:\d\d:\d\d info listening on 127.0.0.1:6432 client=7 database=shop keys=\["a"\]\n$/,
  );
});

test('pretty shows the stack of an error on lines of its own', () => {
  const { log, lines } = logger('pretty');
  log.error({ err: new TypeError('broken') }, 'failed');
  log.error({ err: 'a reason' }, 'failed');
  expect(lines[0]).toMatch(/ error failed\n {2}TypeError: broken\n {6}at /);
  expect(lines[1]).toMatch(/ error failed\n {2}a reason\n$/);
});

test('a name that a client chose cannot steer the terminal', () => {
  const { log, lines } = logger('pretty');
  log.info({ database: 'a\x1b[2J\x9b2J\nb' }, 'c\x07');
  expect(lines[0]).toMatch(/ info c\\u0007 database=a\\u001b\[2J\\u009b2J\\u000ab\n$/);
});

test('auto is pretty on a terminal and JSON elsewhere', () => {
  const terminal = logger('auto', true);
  const pipe = logger('auto', false);
  terminal.log.info('x');
  pipe.log.info('x');
  expect(terminal.lines[0]).toMatch(/ info x\n$/);
  expect(pipe.lines[0]).toMatch(/^\{/);
});

test('what is less severe than the level is not written', () => {
  const { log, lines } = logger('json', false, 'warn');
  log.info('x');
  expect(lines).toEqual([]);
});
