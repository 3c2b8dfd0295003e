/** The login that the configuration wants. */
import { ConfigError } from '../config/problems.js';
import type { Config } from '../config/schema.js';
import type { Logger } from '../observe/log.js';
import { byCertificate, type CertificateUsers } from './by-certificate.js';
import { byPassword } from './by-password.js';
import type { Login } from './login.js';
import { ProxiedLogin } from './proxied.js';
import { RelayedLogin } from './relayed.js';
import { readAuthFiles } from './users/auth-files.js';
import { Users } from './users/users.js';

/** A login, and the files that it was made from. */
export interface OpenedLogin {
  readonly login: Login;
  /**
   * Reads the files of `auth` again. Logins that begin from now on are made with them; sessions stay as they are.
   * @returns what is the matter with the files: then what was read before stays in use
   */
  reload(): Promise<readonly string[]>;
}

/**
 * @param messageBytes the longest message taken of a client, in bytes
 * @throws ConfigError where a file that it needs cannot be used
 */
export async function openLogin(
  auth: Config['auth'],
  messageBytes: number,
  log: Logger,
): Promise<OpenedLogin> {
  if (auth.mode === 'relay') return { login: new RelayedLogin(messageBytes), reload: async () => [] };
  let known = await readKnown(auth, log);
  const verify = auth.mode === 'proxy' ? byPassword(() => known.users) : byCertificate(() => known);
  return {
    login: new ProxiedLogin({ messageBytes, verify }),
    reload: async () => {
      try {
        known = await readKnown(auth, log);
        return [];
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return error.message.split('\n');
      }
    },
  };
}

async function readKnown(auth: Config['auth'], log: Logger): Promise<CertificateUsers> {
  const { entries, mappings, warnings } = await readAuthFiles(auth);
  for (const warning of warnings) log.warn(warning);
  return { users: await Users.of(entries), mappings };
}
