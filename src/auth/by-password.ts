/** `auth.mode: proxy`: the client proves that it knows its password. */

import type { ClientTransport } from './client-transport.js';
import { ClientDialogue } from './exchange/client-dialogue.js';
import { type VerifiedPassword, verifyPassword } from './exchange/client-login.js';
import type { Credential } from './exchange/server-login.js';
import type { Verified, Verify } from './proxied.js';
import { endPointHash } from './scram/end-point.js';
import type { User, Users } from './users/users.js';

/** @param users those that may log in */
export function byPassword(users: Users): Verify {
  return async ({ client, transport }, name) => {
    const user = users.find(name);
    const dialogue = new ClientDialogue(client);
    let verified: VerifiedPassword | undefined;
    let fromClient: Buffer;
    try {
      verified = await verifyPassword(dialogue, name, user, endPointOf(transport));
    } finally {
      fromClient = dialogue.end();
    }
    if (!verified) return undefined;
    return { credential: credentialOf(user, verified), told: verified.final, fromClient } satisfies Verified;
  };
}

function endPointOf(transport: ClientTransport): Buffer | undefined {
  return transport.kind === 'tls' ? endPointHash(transport.ownCertificate) : undefined;
}

function credentialOf({ known }: User, { clientKey }: VerifiedPassword): Credential {
  if (known?.kind === 'scram') return { kind: 'keys', secret: known.secret, clientKey };
  clientKey.fill(0);
  return known ?? { kind: 'none' };
}
