/** The login that the configuration wants. */
import type { Config } from '../config/schema.js';
import type { Logger } from '../observe/log.js';
import { byCertificate } from './by-certificate.js';
import { byPassword } from './by-password.js';
import type { Login } from './login.js';
import { ProxiedLogin } from './proxied.js';
import { RelayedLogin } from './relayed.js';
import { readAuthFiles } from './users/auth-files.js';
import { Users } from './users/users.js';

/**
 * Reads the files of `auth`: what they say later, another login is opened for.
 * @param messageBytes the longest message taken of a client, in bytes
 * @throws ConfigError where a file that it needs cannot be used
 */
export async function openLogin(auth: Config['auth'], messageBytes: number, log: Logger): Promise<Login> {
  if (auth.mode === 'relay') return new RelayedLogin(messageBytes);
  const { entries, mappings, warnings } = await readAuthFiles(auth);
  for (const warning of warnings) log.warn(warning);
  const users = await Users.of(entries);
  const verify = auth.mode === 'proxy' ? byPassword(users) : byCertificate({ users, mappings });
  return new ProxiedLogin({ messageBytes, verify });
}
