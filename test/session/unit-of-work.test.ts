/** What is known of the client's unit of work from what the client has sent and the server has answered. */
import { expect, test } from 'vitest';
import { UnitOfWork } from '../../src/session/client/unit-of-work.js';
import { TransactionStatus } from '../../src/wire/types.js';

function unitIn(status: number) {
  const server = { awaitsReady: false, status };
  return { server, unit: new UnitOfWork(server, server) };
}

test('a unit goes from its first message to its end', () => {
  const { unit } = unitIn(TransactionStatus.Idle);
  expect(unit.isBetweenUnits).toBe(true);
  unit.begin();
  expect(unit.isBetweenUnits).toBe(false);
  unit.execute(false, 'none');
  expect(unit.hasExecuted).toBe(true);
  unit.end();
  expect([unit.isBetweenUnits, unit.hasExecuted]).toEqual([true, false]);
});

test('in an idle server the first Execute is in no block, and of the next one nothing is certain', () => {
  const { unit } = unitIn(TransactionStatus.Idle);
  expect(unit.isInBlock).toBe(false);
  unit.execute(true, 'none');
  expect(unit.isInBlock).toBe(undefined);
  expect(unit.end()).toBe(false);
  expect(unit.isInBlock).toBe(false);
});

test('an open block is certain until something is executed that may end it', () => {
  const { unit } = unitIn(TransactionStatus.Open);
  unit.execute(false, 'none');
  unit.execute(true, 'schema');
  expect(unit.isInBlock).toBe(true);
  unit.execute(false, 'transactionEnd');
  expect(unit.isInBlock).toBe(undefined);
  expect(unit.end()).toBe(false);
});

test('nothing is certain while a ReadyForQuery is still to come, nor in a failed transaction', () => {
  const { server, unit } = unitIn(TransactionStatus.Open);
  server.awaitsReady = true;
  expect(unit.isInBlock).toBe(undefined);
  expect(unit.end()).toBe(false);
  expect(unitIn(TransactionStatus.Failed).unit.isInBlock).toBe(undefined);
});

test('a portal may be retried alone where it is the only one and the first that is executed', () => {
  const { server, unit } = unitIn(TransactionStatus.Idle);
  expect(unit.mayRetryAlone).toBe(false);
  unit.bind();
  expect(unit.mayRetryAlone).toBe(true);
  unit.bind();
  expect(unit.mayRetryAlone).toBe(false);
  unit.end();
  unit.bind();
  expect(unit.mayRetryAlone).toBe(true);
  server.status = TransactionStatus.Open;
  expect(unit.mayRetryAlone).toBe(false);
});

test('expanded statements without another effect disturb nothing, nor does the end of a unit in a block; all else does', () => {
  const { server, unit } = unitIn(TransactionStatus.Open);
  const changes = (act: () => void) => {
    const before = unit.disturbances;
    act();
    return unit.disturbances !== before;
  };
  expect(changes(() => unit.execute(true, 'none'))).toBe(false);
  expect(changes(() => unit.end())).toBe(false);
  expect(changes(() => unit.execute(false, 'none'))).toBe(true);
  expect(changes(() => unit.execute(true, 'settings'))).toBe(true);
  expect(changes(() => unit.callFunction())).toBe(true);
  server.status = TransactionStatus.Idle;
  expect(changes(() => unit.end())).toBe(true);
});
