/** Whatever bytes come in a login, they are an answer or a refusal: nothing else is thrown, and nobody gets in by them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedScram } from '../../src/auth/scram/attributes.js';
import { endPointHash } from '../../src/auth/scram/end-point.js';
import { begin, isProven, readChallenge } from '../../src/auth/scram/prover.js';
import { makeSecret, parseScramSecret } from '../../src/auth/scram/secret.js';
import { challenge, verify } from '../../src/auth/scram/verifier.js';
import { parseCertificateMap } from '../../src/auth/users/certificate-map.js';
import { parseUserList } from '../../src/auth/users/user-list.js';
import { ProxyError } from '../../src/errors.js';
import { negotiateVersion } from '../../src/wire/protocol-version.js';
import { ProtocolViolation } from '../../src/wire/reader.js';
import { readSaslInitialResponse } from '../../src/wire/sasl.js';
import { readStartupPacket } from '../../src/wire/startup.js';

const secret = await makeSecret('pencil', Buffer.alloc(16, 7), 1);
const endPoint = Buffer.alloc(32, 7);

/** Messages that look like ones of SCRAM: the pieces of such, in any order. */
const pieces = [
  'n,,',
  'y,,',
  'p=tls-server-end-point,,',
  'n=',
  'r=',
  'c=biws',
  'p=',
  's=',
  'i=',
  'v=',
  'm=',
  'a=',
  'e=',
  ',',
];
const messages = fc
  .array(
    fc.oneof(
      fc.constantFrom(...pieces),
      fc.base64String({ maxLength: 48 }),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
  )
  .map((parts) => Buffer.from(parts.join('')).toString('latin1'));

/** @returns what it gives, or undefined where it refuses */
function refused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const isRefusal =
      error instanceof MalformedScram || error instanceof ProxyError || error instanceof ProtocolViolation;
    if (!isRefusal) throw error;
    return undefined;
  }
}

test('a client gets in by no message that it did not make of the password', () => {
  const mechanisms = fc.constantFrom('SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', '');
  const offers = fc.constantFrom(endPoint, undefined);
  fc.assert(
    fc.property(mechanisms, offers, messages, messages, (mechanism, offered, first, last) => {
      const state = refused(() => challenge(mechanism, first, offered, secret, 'server'));
      if (state) expect(refused(() => verify(state, last))).toBeUndefined();
      const begun = challenge('SCRAM-SHA-256', 'n,,n=,r=client', undefined, secret, 'server');
      expect(refused(() => verify(begun, last))).toBeUndefined();
      expect(refused(() => verify(begun, `c=biws,r=${begun.nonce},${last}`))).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

test('a server is believed by no message that it did not make of the secret', () => {
  fc.assert(
    fc.property(messages, (message) => {
      refused(() => readChallenge(begin({ kind: 'impossible' }, 'client'), message));
      const isBelieved = refused(() => isProven({ clientFinal: '', serverSignature: endPoint }, message));
      expect(isBelieved ?? false).toBe(false);
    }),
    { numRuns: 2000 },
  );
});

test('what is read of packets, certificates and files ends with an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), messages, (array, message) => {
      const bytes = Buffer.from(array);
      refused(() => readSaslInitialResponse(bytes));
      endPointHash(bytes);
      endPointHash(Buffer.concat([Buffer.from([0x30, bytes.length]), bytes]));
      const text = bytes.toString('latin1');
      parseUserList(text);
      parseCertificateMap(text);
      expect(parseScramSecret(message)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

test('a startup packet that is negotiated has every parameter that it had, and no option', () => {
  const names = fc.stringMatching(/^[a-z]{1,8}$|^_pq_\.[a-z]{0,5}$/);
  const values = fc.string({ unit: 'binary', maxLength: 20 }).map((value) => value.replaceAll('\0', ''));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(names, values)),
      fc.integer({ min: 0, max: 0xffff }),
      (parameters, minor) => {
        const text = Buffer.from(
          `${parameters
            .flat()
            .map((field) => `${field}\0`)
            .join('')}\0`,
        );
        const packet = Buffer.concat([Buffer.alloc(8), text]);
        packet.writeUInt32BE(packet.length, 0);
        packet.writeUInt32BE(0x30000 + minor, 4);
        const negotiated = negotiateVersion(packet);
        const kept = parameters.filter(([name]) => !name.startsWith('_pq_.'));
        const isAsked = minor > 2 || kept.length < parameters.length;
        expect(negotiated !== undefined).toBe(isAsked);
        const read = readStartupPacket(negotiated?.startup ?? packet)?.packet;
        expect(read).toMatchObject({ kind: 'startup', parameters: new Map(kept) });
        expect(negotiated?.answer.readUInt32BE(9) ?? 0).toBe(isAsked ? parameters.length - kept.length : 0);
      },
    ),
    { numRuns: 500 },
  );
});
