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
 * @param messageBytes the longest message taken of a client, in bytes
 * @throws ConfigError where a file that it needs cannot be used
 */
export async function openLogin(auth: Config['auth'], messageBytes: number, log: Logger): Promise<Login> {
  if (auth.mode === 'relay') return new RelayedLogin(messageBytes);
  const { entries, rules, warnings } = await readAuthFiles(auth);
  for (const warning of warnings) log.warn(warning);
  const users = await Users.of(entries);
  switch (auth.mode) {
    case 'proxy':
      return new ProxiedLogin({ messageBytes, verify: byPassword(() => users) });
    case 'cert':
      return new ProxiedLogin({ messageBytes, verify: byCertificate(() => ({ users, rules })) });
    default:
      return auth.mode satisfies never;
  }
}
