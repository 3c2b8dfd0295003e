/** The login that the configuration wants. */
import type { Config } from '../config/schema.js';
import type { Logger } from '../observe/log.js';
import type { Login } from './login.js';
import { ProxiedLogin } from './proxied.js';
import { RelayedLogin } from './relayed.js';
import { readUsers } from './users/read-users.js';
import { Users } from './users/users.js';

/**
 * @param messageBytes the longest message taken of a client, in bytes
 * @throws ConfigError where a file that it needs cannot be used
 */
export async function openLogin(auth: Config['auth'], messageBytes: number, log: Logger): Promise<Login> {
  if (auth.mode === 'relay' || auth.users === null) return new RelayedLogin(messageBytes);
  const { entries, warnings } = await readUsers(auth.users);
  for (const warning of warnings) log.warn(warning);
  const users = await Users.of(entries);
  return new ProxiedLogin({ messageBytes, users: () => users });
}
