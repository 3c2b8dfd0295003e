/**
 * The first answer to a startup packet. Where it is a refusal libpq tries again, with TLS or without, or at the next host: that has to be
 * known before the client is asked for anything.
 */
import type { Socket } from 'node:net';
import { Field, readErrorFields } from '../wire/backend.js';
import { Block } from '../wire/block.js';
import { Backend } from '../wire/types.js';

/** libpq takes no longer one before a login is over (fe-connect.c, MAX_ERRLEN). */
const LONGEST_REFUSAL = 30_000;

/** What has come first: a refusal as a whole, or else what there was of another message. Empty where the connection ended. */
export function firstAnswer(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const received = new Block();
    const settle = () => {
      socket.off('readable', came).off('end', settle).off('close', settle).off('error', settle);
      resolve(received.bytes);
    };
    const came = () => {
      // To read beyond what is there would end a stream that has ended: then nothing could be put back into it.
      for (let left = socket.readableLength; left > 0; left = socket.readableLength)
        received.append(socket.read(left));
      if (received.size === 0) socket.read();
      if (isEnough(received.bytes)) settle();
    };
    socket.on('readable', came).once('end', settle).once('close', settle).once('error', settle);
  });
}

function isEnough(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  if (bytes[0] !== Backend.ErrorResponse) return true;
  return bytes.length >= 5 && bytes.length >= Math.min(1 + bytes.readUInt32BE(1), LONGEST_REFUSAL);
}

export function isRefusal(answer: Buffer): boolean {
  return answer[0] === Backend.ErrorResponse;
}

/** What a refusal says. Undefined for any other answer, and for a refusal that is not whole. */
export function refusalOf(answer: Buffer): { readonly code: string; readonly message: string } | undefined {
  const end = 1 + (answer.length < 5 ? 0 : answer.readUInt32BE(1));
  if (!isRefusal(answer) || answer.length < end) return undefined;
  const fields = readErrorFields({ type: Backend.ErrorResponse, buffer: answer, start: 0, end, last: true });
  return { code: fields.get(Field.code) ?? '', message: fields.get(Field.message) ?? '' };
}

/**
 * The refusal with a hint after it, where it is that of pg_hba.conf, and may be because the connection is not encrypted
 * (ClientAuthentication in auth.c; its text is in the server's language).
 */
export function withHint(answer: Buffer, hint: string): Buffer {
  const end = 1 + (answer.length < 5 ? 0 : answer.readUInt32BE(1));
  if (!isRefusal(answer) || answer.length < end) return answer;
  const message = { type: Backend.ErrorResponse, buffer: answer, start: 0, end, last: true };
  const fields = readErrorFields(message);
  const isOfHba = fields.get(Field.code) === '28000' && fields.get(Field.routine) === 'ClientAuthentication';
  if (!isOfHba || fields.has(Field.hint)) return answer;
  // In front of the byte that ends the list of fields.
  const hinted = Buffer.concat([
    answer.subarray(0, end - 1),
    Buffer.from(`${Field.hint}${hint}\0\0`),
    answer.subarray(end),
  ]);
  hinted.writeUInt32BE(hinted.length - (answer.length - end) - 1, 1);
  return hinted;
}
