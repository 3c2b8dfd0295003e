/** The notices that the client gets between the batches of its statement. */
import { Field, noticeResponse } from '../../../wire/backend.js';
import { inEncoding } from '../../server/encoding.js';

/** A batch was committed. @param rows of it @param gone of all batches so far, this one among them */
export function batchDone(batch: number, rows: number, gone: number): Buffer {
  return notice(`cascade batch ${batch}: ${rows} rows, ${gone} so far`, 'UTF8');
}

/** Batches begin, as all in one transaction was too much. @param encoding the client's */
export function limitReached(table: string, rows: number, encoding: string): Buffer {
  const what = `cascade from ${table} has reached a limit of the server's, and is done again in batches of ${rows} rows`;
  return notice(what, encoding);
}

function notice(message: string, encoding: string): Buffer {
  const fields = new Map([
    [Field.severity, 'NOTICE'],
    [Field.severityNonLocalized, 'NOTICE'],
    [Field.code, '00000'],
    [Field.message, message],
  ]);
  return noticeResponse(inEncoding(fields, encoding));
}
