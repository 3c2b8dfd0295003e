/** Guarded statements in the extended protocol: described, bound, executed and refused as natively. */
import { describe, test } from 'vitest';
import {
  bind,
  describePortal,
  describeStatement,
  execute,
  parse,
  run,
  runPrepared,
  sync,
} from '../support/frontend-messages.js';
import { useGuardTwin } from './guard-twin.js';

const twin = useGuardTwin({ cascade: { guard: 'check' } });

describe('an INSERT', () => {
  const insert = 'INSERT INTO users (id, org_id) VALUES ($1, $2)';

  test('is described and answered as natively', () =>
    twin.asNative((client) =>
      client.ask(
        parse(insert),
        describeStatement(),
        bind({ values: ['30', '1'] }),
        describePortal(),
        execute(),
        sync,
      ),
    ));

  test('that writes nothing has the native tag', () =>
    twin.asNative((client) =>
      client.ask(run(`${insert} ON CONFLICT DO NOTHING`, ['10', '99']), run(insert, ['30', '1']), sync),
    ));

  test('of a key that is not there fails its pipeline', () =>
    twin.asNative((client) =>
      client.ask(run(insert, ['30', '1']), run(insert, ['31', '99']), run(insert, ['32', '1']), sync),
    ));

  test('that is prepared once is looked at each time', () =>
    twin.asNative(async (client) => [
      ...(await client.ask(parse(insert, 'i'), sync)),
      ...(await client.ask(runPrepared('i', ['30', '1']), sync)),
      ...(await client.ask(runPrepared('i', ['31', '99']), sync)),
      ...(await client.ask(runPrepared('i', ['32', null]), runPrepared('i', ['33', '2']), sync)),
    ]));

  test('with RETURNING gives rows in portions and in binary', () =>
    twin.asNative(async (client) => [
      ...(await client.ask(
        parse(
          'INSERT INTO users (id, org_id) SELECT g, 1 FROM generate_series(30, 34) AS g RETURNING id, name',
          'r',
        ),
        describeStatement('r'),
        bind({ statement: 'r', portal: 'p', binary: true }),
        describePortal('p'),
        execute('p', 2),
        execute('p', 2),
        execute('p'),
        sync,
      )),
    ]));

  test('that is executed twice without RETURNING is refused the second time', () =>
    twin.asNative((client) =>
      client.ask(parse(insert), bind({ values: ['30', '1'], portal: 'p' }), execute('p'), execute('p'), sync),
    ));
});

test('an UPDATE is answered as natively', () =>
  twin.asNative((client) =>
    client.ask(
      run('UPDATE users SET org_id = $1 WHERE id = $2', ['2', '10']),
      run('UPDATE users SET org_id = $1 WHERE id = $2 RETURNING id', ['99', '20']),
      sync,
    ),
  ));
