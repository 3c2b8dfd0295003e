/** The reduced twin behind each gate: what is sent there in place of a DELETE is none of what the family refuses, and does what enforced keys do. */
import { expect, onTestFinished } from 'vitest';
import type { ProxyOptions } from '../support/proxy.js';
import { sideOf } from './families-twin.js';
import type { GateOptions } from './gate.js';
import { startGated } from './gated.js';
import { GATES } from './gates.js';
import { describeTwin, expectSame, postgresOracle, tables, through } from './twin-sides.js';
import { addKeys, DEFAULTS, WORLDS, type World } from './worlds.js';

const ALL = [...WORLDS, DEFAULTS];
const POSTGRES = { user: 'postgres' };

interface Case {
  readonly gate: GateOptions;
  readonly worlds: readonly World[];
  readonly options?: ProxyOptions;
  /** Keys are declared, and nobody enforces them. */
  readonly declared?: boolean;
  readonly withoutBlocks?: readonly World[];
}

function describeGated(name: string, { gate, worlds, options, declared, withoutBlocks }: Case): void {
  describeTwin(`twin behind the gate of ${name}`, undefined, async () => {
    const inert = (world: World) => [
      ...addKeys(world),
      ...world.tables.map((table) => `ALTER TABLE ${table} DISABLE TRIGGER ALL`),
    ];
    const schema = [...tables(worlds, 'none'), ...(declared ? worlds.flatMap(inert) : [])];
    const gated = await startGated(gate, schema);
    onTestFinished(() => gated.close());
    const { oracle, load } = await postgresOracle(worlds);
    const subject = await through(gated, declared ? [] : worlds, 'public', options, POSTGRES);
    await expectSame({
      worlds,
      subject: sideOf(subject),
      oracle,
      ...(withoutBlocks ? { withoutBlocks } : {}),
      async load(side, statements) {
        await (side === 'oracle' ? load : gated.load)(statements.join('; '));
      },
    });
    // The proxy asks its way to what the server is; nothing else that it sends is refused.
    expect(gated.refused.filter((sql) => !sql.includes('pg_catalog'))).toEqual([]);
  });
}

describeGated('Redshift', { gate: GATES.redshift, worlds: ALL, withoutBlocks: [DEFAULTS] });
describeGated('Greenplum 6', { gate: GATES.greenplum6, worlds: ALL });
describeGated('Greenplum 7', { gate: GATES.greenplum7, worlds: ALL, declared: true });
describeGated('CrateDB', {
  gate: GATES.cratedb,
  worlds: WORLDS,
  options: { cascade: { atomic: false } },
  withoutBlocks: WORLDS,
});
describeGated('Aurora DSQL', { gate: GATES.dsql, worlds: ALL, options: { profile: 'dsql' } });
