/** Runs an interleaving on both sides in step: a client goes on when it is free on both. */
import type { Interleaving, Schema } from './scenario.js';
import { contentsSql, fillSql, orphansSql, type Step, stepsOf } from './scenario-sql.js';
import type { Answered, Side, Wait } from './side.js';

export type Answer = readonly string[];

/** A step of a client's, sent to both sides at the same moment. */
export interface Turn {
  readonly client: number;
  readonly step: Step;
  /** What each side answered, and after how many turns: more than its own where it had to wait. */
  native: Ended | undefined;
  proxied: Ended | undefined;
}

export interface Ended extends Answered {
  readonly at: number;
}

export interface Trace {
  /** In the order in which they were sent. */
  readonly turns: readonly Turn[];
  /** Who waited for whom after so many turns, on each side. */
  readonly waits: { readonly native: Waits; readonly proxied: Waits };
  /** The turn from which on the sides could not be kept in step: on each another client waited. */
  readonly parted: number | undefined;
  readonly left: { readonly native: Answer; readonly proxied: Answer };
  readonly orphans: readonly string[];
}

export type Waits = ReadonlyMap<number, readonly Wait[]>;

export interface Sides {
  readonly native: Side;
  readonly proxied: Side;
}

const NAMES = ['native', 'proxied'] as const;

export async function run(
  sides: Sides,
  schema: Schema,
  { clients, turns, careful }: Interleaving,
): Promise<Trace> {
  await Promise.all(NAMES.map((name) => sides[name].fill(fillSql(schema))));
  const steps = clients.map((client) => stepsOf(schema, client, careful));
  const sent: Turn[] = [];
  let parted: number | undefined;
  const waits = { native: new Map<number, readonly Wait[]>(), proxied: new Map<number, readonly Wait[]>() };
  const position = { native: clients.map(() => 0), proxied: clients.map(() => 0) };
  const turnOf = (client: number, place: number) =>
    sent.filter((turn) => turn.client === client)[place] as Turn;
  const settle = async () => {
    await Promise.all(
      NAMES.map(async (name) => {
        for (const [client, answered] of await sides[name].settle())
          turnOf(client, (position[name][client] ?? 0) - 1)[name] = { ...answered, at: sent.length };
        waits[name].set(sent.length, sides[name].waits);
      }),
    );
  };
  const canGo = (name: (typeof NAMES)[number], client: number) =>
    sides[name].isFree(client) && (position[name][client] ?? 0) < (steps[client]?.length ?? 0);
  const send = (name: (typeof NAMES)[number], client: number) => {
    const place = position[name][client] ?? 0;
    const step = steps[client]?.[place];
    if (!step) return;
    position[name][client] = place + 1;
    if (sent.filter((turn) => turn.client === client).length <= place)
      sent.push({ client, step, native: undefined, proxied: undefined });
    sides[name].send(client, step);
  };
  for (let i = 0; ; i++) {
    const order = clients.map((_, k) => ((turns[i] ?? i) + k) % clients.length);
    const both = order.find((client) => NAMES.every((name) => canGo(name, client)));
    const each = NAMES.map((name) => order.find((client) => canGo(name, client)));
    if (both !== undefined) {
      for (const name of NAMES) send(name, both);
    } else {
      if (each.every((client) => client === undefined)) break;
      parted ??= sent.length;
      NAMES.forEach((name, side) => {
        const client = each[side];
        if (client !== undefined) send(name, client);
      });
    }
    await settle();
  }
  const left = await Promise.all(NAMES.map((name) => sides[name].rows(contentsSql(schema))));
  const orphans = await sides.proxied.rows(orphansSql(schema));
  await Promise.all(NAMES.map((name) => sides[name].reset()));
  return { turns: sent, waits, parted, left: { native: left[0] ?? [], proxied: left[1] ?? [] }, orphans };
}
