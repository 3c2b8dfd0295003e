/** The thread that reads long texts: a text in, its statements out, one text at a time. reader.ts is its other end. */
import { parentPort } from 'node:worker_threads';
import { ProxyError } from '../../errors.js';
import { parserReady } from '../parser/parser.js';
import type { Statement } from '../statement/statement.js';
import { readText } from './read-text.js';

export interface ReadingRequest {
  readonly text: string;
  /** The client's, for errors. */
  readonly encoding: string;
}

/** What the other end says where it is ready for more of an answer. */
export const MORE = 'more';

/** What the thread says first: to load it takes a while, which is no text's. */
export const READY = 'ready';

export type ReadingReply =
  | { readonly kind: 'statements'; readonly statements: readonly Statement[]; readonly more: boolean }
  /** The text is not what PostgreSQL's grammar knows. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'refused'; readonly error: Pick<ProxyError, 'errorName' | 'values'> };

/** So many statements go into one reply: to take one must not hold up the other end. */
const A_REPLY = 100;

let left: Statement[] = [];

async function answer({ text, encoding }: ReadingRequest): Promise<ReadingReply> {
  await parserReady();
  try {
    const statements = readText(text, encoding);
    if (statements === undefined) return { kind: 'unknown' };
    left = [...statements];
    return more();
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    const { errorName, values } = error;
    return { kind: 'refused', error: { errorName, values } };
  }
}

function more(): ReadingReply {
  const statements = left.splice(0, A_REPLY);
  return { kind: 'statements', statements, more: left.length > 0 };
}

await parserReady();
parentPort?.postMessage(READY);
parentPort?.on('message', async (message: ReadingRequest | typeof MORE) => {
  parentPort?.postMessage(message === MORE ? more() : await answer(message));
});
