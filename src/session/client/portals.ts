/** The portals of a session that the proxy has a hand in: what they were bound to, and how. */
import type { Answers } from '../../render/single/render.js';
import { FAIL_REFUSED } from '../../render/violations.js';
import { isGuarded, isSuspecting, planOf } from '../../rewrite/retries.js';
import type { Rewrite } from '../../rewrite/text.js';
import { serverError } from '../../wire/backend.js';
import { whole, withResultFormats, write } from '../../wire/frontend.js';
import type { Message } from '../../wire/reader.js';
import { Backend } from '../../wire/types.js';
import { knownName, Names, shownName } from '../decide/names.js';
import type { PreparedStatement } from '../decide/prepared-statement.js';
import type { FrontendOptions } from '../execute/frontend-options.js';
import { SCRATCH } from '../server/own-statements.js';
import type { ServerState } from '../server/server-state.js';

/** A portal, and what it takes to bind it again. */
export interface BoundPortal extends PreparedStatement {
  readonly statement: string;
  /** The client's message; undefined where it is not worth keeping. */
  readonly bind: Buffer | undefined;
  readonly executed: boolean;
}

export class Portals {
  readonly #names: Names<BoundPortal>;

  constructor(state: ServerState) {
    this.#names = new Names((name) => knownName(name, state));
  }

  get(name: string): BoundPortal | undefined {
    return this.#names.get(name);
  }

  /** @returns what takes the change back */
  set(name: string, portal: BoundPortal | undefined): () => void {
    return this.#names.set(name, portal);
  }

  /** @returns what takes it back, where there was something to forget */
  forget(name: string): (() => void) | undefined {
    return this.#names.forget(name);
  }

  /** The server is idle: portals ended with the transaction. */
  clear(): void {
    this.#names.clear();
  }

  /** The transaction may be over, and the portals with it: none is bound again that the server may not have any more. */
  endTransaction(): void {
    for (const [name, portal] of this.#names.snapshot())
      if (portal.bind) this.set(name, { ...portal, bind: undefined });
  }

  /** The portals that wait to find out whether a rule may be broken, each with the Bind that binds it again. */
  get uncertain(): readonly (readonly [string, BoundPortal, Buffer])[] {
    return this.#names
      .snapshot()
      .flatMap(([name, portal]) => (portal.bind && isUncertain(portal) ? [[name, portal, portal.bind]] : []));
  }
}

/** A longer Bind is not kept: its statement is executed once. */
const LONGEST_BIND = 1024 * 1024;

export function isShort(bind: Message): boolean {
  return bind.end - bind.start <= LONGEST_BIND;
}

/** A copy of the message by which it was bound, where its execution may have to be repeated. */
export function bindOf(message: Message, prepared: PreparedStatement): Buffer | undefined {
  const plan = prepared.rewrite && planOf(prepared.rewrite.rules);
  const repeats = plan && (isGuarded(plan) || isSuspecting(prepared.rewrite?.rules ?? []));
  return repeats && isShort(message) ? whole(message) : undefined;
}

/** The message with result formats for the columns that are sent. */
export function withFormats(bind: Message, answers: Answers): Buffer {
  return withResultFormats(bind, (formats) => formatsFor(answers, formats));
}

/** The formats of all columns that are sent: the proxy's own, which nobody reads, before the client's. */
function formatsFor(answers: Answers, formats: readonly number[]): readonly number[] {
  switch (answers.kind) {
    case 'as sent':
      return formats;
    case 'count':
      return [];
    case 'rows':
      return formats.length < 2 ? formats : [...Array<number>(answers.hidden).fill(0), ...formats];
  }
}

function isUncertain({ executed, rewrite }: BoundPortal): boolean {
  return !executed && rewrite !== undefined && isSuspecting(rewrite.rules);
}

/** What sends the Execute that `message` is, for what is executed by now. */
export function senderOf(
  message: Message,
  name: string,
  rewrite: Rewrite,
  { server }: FrontendOptions,
): () => void {
  const [part] = rewrite.rules;
  // Without RETURNING there is one row, the count: a limit of one would suspend the portal behind it.
  const all = part?.kind === 'cascade' && part.answers.kind === 'count';
  const bytes = whole(message);
  return () => server.write(all ? write.execute(name) : bytes);
}

/** Without RETURNING a portal runs once (pquery.c, PortalRun). What is sent instead fails as well. */
export function cannotRun(name: string, { replies, server }: FrontendOptions): undefined {
  server.write(Buffer.concat([write.close('S', SCRATCH), write.parse(SCRATCH, FAIL_REFUSED)]));
  const error = serverError('55000', `portal "${shownName(name)}" cannot be run`);
  replies.expect('Close', {
    receive: (message) => (message.type === Backend.CloseComplete ? 'swallow' : error),
  });
  replies.expect('Parse', { receive: () => error });
}
