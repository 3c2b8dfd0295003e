/** Somebody who hears nothing: whoever listens to a few events overrides those. */
import type { SessionEvents } from './session-events.js';

export class SilentEvents implements SessionEvents {
  connected(): void {}
  notLoggedIn(..._: Parameters<SessionEvents['notLoggedIn']>): void {}
  executed(): void {}
  planned(..._: Parameters<SessionEvents['planned']>): void {}
  cascaded(..._: Parameters<SessionEvents['cascaded']>): void {}
  followed(..._: Parameters<SessionEvents['followed']>): void {}
  followFailed(..._: Parameters<SessionEvents['followFailed']>): void {}
  cascadeFailed(..._: Parameters<SessionEvents['cascadeFailed']>): void {}
  retried(..._: Parameters<SessionEvents['retried']>): void {}
  refused(..._: Parameters<SessionEvents['refused']>): void {}
  failedByServer(..._: Parameters<SessionEvents['failedByServer']>): void {}
  passed(..._: Parameters<SessionEvents['passed']>): void {}
  catalogRead(..._: Parameters<SessionEvents['catalogRead']>): void {}
  warned(..._: Parameters<SessionEvents['warned']>): void {}
  failed(..._: Parameters<SessionEvents['failed']>): void {}
  idleInTransaction(..._: Parameters<SessionEvents['idleInTransaction']>): void {}
  ended(..._: Parameters<SessionEvents['ended']>): void {}
}
