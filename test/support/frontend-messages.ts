/** What drivers send, in the words of the tests. */
import { serialize } from 'pg-protocol';

export { message } from './raw-client.js';

export interface Binding {
  readonly statement?: string;
  readonly portal?: string;
  /** Strings go as text, buffers as binary. */
  readonly values?: readonly (string | Buffer | null)[];
  /** All results in binary. */
  readonly binary?: boolean;
}

export const query = (text: string): Buffer => serialize.query(text);
export const parse = (text: string, name = '', types: readonly number[] = []): Buffer =>
  serialize.parse({ text, name, types: [...types] });
export const bind = ({ values = [], ...names }: Binding = {}): Buffer =>
  serialize.bind({ ...names, values: [...values] });
export const execute = (portal = '', rows = 0): Buffer => serialize.execute({ portal, rows });
export const describeStatement = (name = ''): Buffer => serialize.describe({ type: 'S', name });
export const describePortal = (name = ''): Buffer => serialize.describe({ type: 'P', name });
export const closeStatement = (name: string): Buffer => serialize.close({ type: 'S', name });
export const closePortal = (name: string): Buffer => serialize.close({ type: 'P', name });
export const copyData = (text: string | Buffer): Buffer => serialize.copyData(Buffer.from(text));
export const copyDone: Buffer = serialize.copyDone();
export const copyFail = (why: string): Buffer => serialize.copyFail(why);
export const sync: Buffer = serialize.sync();
export const flush: Buffer = serialize.flush();
export const terminate: Buffer = serialize.end();

/** One execution as drivers send it, up to the Sync that they put after it or after several. */
export const run = (text: string, values: Binding['values'] = []): Buffer =>
  Buffer.concat([parse(text), bind({ values }), describePortal(), execute()]);

/** One execution of a statement that was prepared under a name. */
export const runPrepared = (statement: string, values: Binding['values'] = []): Buffer =>
  Buffer.concat([bind({ statement, values }), describePortal(), execute()]);
