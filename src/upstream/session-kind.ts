/** Which sessions target_session_attrs wants, and libpq's words for others (fe-connect.c, CONNECTION_CHECK_TARGET). */

/** What a session has to be. */
export type SessionTarget = keyof typeof WANTED;

/** What is known of a session: that it only reads, or that its server is a hot standby. */
export type Aspect = 'readOnly' | 'standby';

interface Wanted {
  readonly aspect: Aspect;
  readonly isSo: boolean;
  readonly else: string;
}

const WANTED = {
  'read-write': { aspect: 'readOnly', isSo: false, else: 'session is read-only' },
  'read-only': { aspect: 'readOnly', isSo: true, else: 'session is not read-only' },
  primary: { aspect: 'standby', isSo: false, else: 'server is in hot standby mode' },
  standby: { aspect: 'standby', isSo: true, else: 'server is not in hot standby mode' },
} as const satisfies Record<string, Wanted>;

/** By what a session is judged. */
export function aspectOf(target: SessionTarget): Aspect {
  return WANTED[target].aspect;
}

/** @returns why a session is not wanted that is so, or is not; undefined: it is */
export function unwanted(target: SessionTarget, isSo: boolean): string | undefined {
  return WANTED[target].isSo === isSo ? undefined : WANTED[target].else;
}
