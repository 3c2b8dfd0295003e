/** Rules that are read again hold for what was prepared under others; what cannot be by them is refused. */
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  closeStatement,
  describeStatement,
  parse,
  query,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { readable } from '../support/raw-client.js';
import { DELETE, OFF, ON, useReloading } from './reloading.js';

const reloading = useReloading();
const { proxy, under, left } = reloading;

describe('what was prepared under mode: off', () => {
  test('and closed, or prepared anew under the same name, is what it is', async () => {
    const session = await under(OFF);
    await session.ask(parse(DELETE, 'd'), parse(DELETE, 'e'), sync);
    await session.ask(closeStatement('d'), parse('SELECT $1::int', 'd'), sync);
    await session.ask(query(`PREPARE p AS ${DELETE}`));
    await session.ask(
      query('DEALLOCATE p; DEALLOCATE e; PREPARE p AS SELECT $1::int; PREPARE e AS SELECT $1::int'),
    );
    await proxy.reload({ cascade: ON });
    expect(await session.told(runPrepared('d', ['1']), sync)).toContain('D 1');
    expect(await session.told(query('EXECUTE p (1)'))).toContain('D 1');
    expect(await session.told(runPrepared('e', ['1']), sync)).toContain('D 1');
    expect(await left('orgs')).toBe('1 2');
  });

  test('returns what it returned, and is refused as natively where that has changed', async () => {
    const session = await under(OFF);
    const returning = 'DELETE FROM s.orgs WHERE id = $1::int RETURNING *';
    await session.ask(parse(returning, 'r'), parse(returning, 'changed'), describeStatement('r'), sync);
    await proxy.reload({ cascade: ON });
    expect(await session.told(runPrepared('r', ['1']), sync)).toContain('D 1|o1');
    expect(await left('users')).toBe('2');
    await reloading.direct.query('ALTER TABLE s.orgs ADD more int');
    onTestFinished(() => reloading.direct.query('ALTER TABLE s.orgs DROP more').then(() => {}));
    const refused = await session.told(runPrepared('changed', ['2']), sync);
    expect(refused.join()).toMatch(/0A000.*cached plan must not change result type/);
    expect(await left('orgs')).toBe('2');
  });

  test('by name, and executed by SQL, has to be prepared again', async () => {
    const session = await under(OFF);
    await session.ask(parse('DELETE FROM s.orgs WHERE id = 1', 'd'), sync);
    await proxy.reload({ cascade: ON });
    expect((await session.told(query('EXECUTE d'))).join()).toContain('PGC_EXECUTE');
    expect(await left('orgs')).toBe('1 2');
    await session.ask(run('SELECT 1'), sync);
  });
});

test('cascade.code: reject holds for a CALL that was prepared before', async () => {
  const session = await under(ON);
  await reloading.direct.query(
    'CREATE PROCEDURE s.clean() LANGUAGE sql AS $$DELETE FROM s.orgs WHERE id = 1$$',
  );
  await session.ask(parse('CALL s.clean()', 'c'), sync);
  await proxy.reload({ cascade: { code: 'reject' } });
  expect((await session.told(runPrepared('c'), sync)).join()).toContain('PGC_CODE');
  await proxy.reload({ cascade: ON });
  expect((await session.told(runPrepared('c'), sync)).join()).toContain('C CALL');
});

test('cascade.unsupported: reject holds for what was passed on before', async () => {
  const session = await under({ unsupported: 'pass' });
  await reloading.direct.query('CREATE RULE r AS ON DELETE TO s.orgs DO ALSO NOTIFY gone');
  onTestFinished(() => reloading.direct.query('DROP RULE r ON s.orgs').then(() => {}));
  await session.ask(parse(DELETE, 'd'), sync);
  expect(await session.told(runPrepared('d', ['1']), sync)).toContain('C DELETE 1');
  await proxy.reload({ cascade: ON });
  expect((await session.told(runPrepared('d', ['2']), sync)).join()).toMatch(/0A000.*PGC_/);
  expect(await left('orgs')).toBe('2');
});

test('an EXECUTE that was prepared itself is refused where its statement would have to be prepared anew', async () => {
  const session = await under(OFF);
  await session.ask(query(`PREPARE d AS ${DELETE}`));
  await session.ask(parse('EXECUTE d (1)', 'e'), sync);
  await proxy.reload({ cascade: ON });
  expect((await session.told(runPrepared('e'), sync)).join()).toContain('PGC_EXECUTE');
  expect((await session.told(runPrepared('d', ['1']), sync)).join()).toContain('PGC_EXECUTE');
  expect(await left('orgs')).toBe('1 2');
});

test('a session that prepared under mode: off what cannot be read is ended: it may be a DELETE', async () => {
  const session = await under(OFF);
  await session.ask(query('SET standard_conforming_strings = off'));
  await session.ask(query(`PREPARE d AS DELETE FROM s.orgs WHERE id = 1 OR name = 'a\\b'`));
  await proxy.reload({ cascade: ON });
  session.send(query('EXECUTE d'));
  expect(readable(await session.rest()).join()).toMatch(/57P01.*PGC_RELOADED/);
  expect(await left('orgs')).toBe('1 2');
});

test('cascade.code: reject refuses no DO under mode: off, beside a PREPARE either', async () => {
  const session = await under({ ...OFF, code: 'reject' });
  const told = await session.told(query(`PREPARE d AS DELETE FROM s.orgs WHERE id = 1; DO 'BEGIN END'`));
  expect(told).toEqual(['C PREPARE', 'C DO', 'Z I']);
  await proxy.reload({ cascade: { code: 'reject' } });
  expect((await session.told(query(`DO 'BEGIN END'`))).join()).toContain('PGC_CODE');
  await session.ask(query('EXECUTE d'));
  expect(await left('users')).toBe('2');
});
