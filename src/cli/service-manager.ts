/**
 * Tells systemd how the program is (sd_notify(3)): a unit of Type=notify waits for READY=1, and WatchdogSec for WATCHDOG=1.
 * NOTIFY_SOCKET is a unix socket for datagrams, which Node.js has not: systemd's own program sends what is to be said
 * (docs/decisions.md, 70). So the unit needs NotifyAccess=all.
 */
import { execFile } from 'node:child_process';
import type { Logger } from '../observe/log.js';

type Environment = Readonly<Record<string, string | undefined>>;

const PROGRAM = 'systemd-notify';
/** Milliseconds. It waits until systemd has taken what it says. */
const PATIENCE = 5000;

export class ServiceManager {
  readonly #env: Environment;
  readonly #log: Logger;
  /** What is said next is said when this has been: the order counts. */
  #last: Promise<void> = Promise.resolve();
  #isPinging = false;

  constructor(env: Environment, log: Logger) {
    this.#env = env;
    this.#log = log;
    const interval = watchdogInterval(env);
    if (interval !== undefined) setInterval(() => this.#ping(), interval).unref();
  }

  /** @param status for `systemctl status` */
  ready(status: string): void {
    void this.#tell('READY=1', `STATUS=${status}`);
  }

  /** The configuration is being read again; `ready` says that it has been. */
  reloading(): void {
    // Of the clock that systemd compares with: CLOCK_MONOTONIC, in microseconds.
    void this.#tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  /** Fulfilled when systemd has been told: the program must not end before. */
  stopping(status: string): Promise<void> {
    return this.#tell('STOPPING=1', `STATUS=${status}`);
  }

  /** The timer's turn comes where the event loop goes round, which is what systemd wants to know. */
  #ping(): void {
    if (this.#isPinging) return;
    this.#isPinging = true;
    void this.#tell('WATCHDOG=1').then(() => {
      this.#isPinging = false;
    });
  }

  #tell(...assignments: readonly string[]): Promise<void> {
    if (this.#env.NOTIFY_SOCKET) this.#last = this.#last.then(() => this.#send(assignments));
    return this.#last;
  }

  #send(assignments: readonly string[]): Promise<void> {
    return new Promise((sent) => {
      execFile(PROGRAM, assignments, { env: { ...this.#env }, timeout: PATIENCE }, (error) => {
        if (error) this.#log.warn({ err: error }, `${PROGRAM} could not tell systemd ${assignments[0]}`);
        sent();
      });
    });
  }
}

/** Milliseconds: half of what systemd waits (sd_watchdog_enabled(3)). Undefined where it does not wait for this process. */
function watchdogInterval({ WATCHDOG_PID: pid, WATCHDOG_USEC: time }: Environment): number | undefined {
  const milliseconds = Number(time) / 1000 / 2;
  const isMeant = pid === undefined || Number(pid) === process.pid;
  return isMeant && milliseconds >= 1 ? milliseconds : undefined;
}
