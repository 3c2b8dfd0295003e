/** How many clients there are at most. */
export const CLIENTS = 3;

/**
 * The settings of a client's session. Who closes a circle of waits has to find that out, as whoever waited before has looked
 * already: with a short deadlock_timeout the victim is nearly always the same.
 * @param isolation a level, in SQL's words
 */
export function settingsOf(isolation: string): string {
  return `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')} -c deadlock_timeout=2ms`;
}
