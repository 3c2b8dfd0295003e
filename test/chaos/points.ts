/** A moment in what a connection carries, counted from a moment on: what is struck there is struck in the midst of a conversation. */
import type { Direction, Fault } from './faults.js';

/**
 * In the packet with this number, after this share of its bytes. A statement and its answer are one each, however many rows it takes: so the points
 * are spread over what is done, and not over what is said of it.
 */
export interface Place {
  readonly packet: number;
  readonly share: number;
}

const NOWHERE: Place = { packet: Number.POSITIVE_INFINITY, share: 0 };

export class Point {
  readonly direction: Direction;
  readonly #place: Place;
  readonly #strike: () => Promise<void>;
  #isCounting = false;
  #passed = 0;
  #isStruck = false;

  /**
   * @param strike what is done there; what was to come after it is lost
   */
  constructor(direction: Direction, place = NOWHERE, strike = async () => {}) {
    this.direction = direction;
    this.#place = place;
    this.#strike = strike;
  }

  /** How many packets have gone through since `start`. */
  get passed(): number {
    return this.#passed;
  }

  get isStruck(): boolean {
    return this.#isStruck;
  }

  start(): void {
    this.#isCounting = true;
  }

  /** @returns what a relay is armed with */
  fault(): Fault {
    return {
      direction: this.direction,
      name: `struck ${this.direction} in packet ${this.#place.packet}`,
      begin: (fired) => (bytes) => {
        if (!this.#isCounting) return [bytes];
        const { packet, share } = this.#place;
        if (this.#passed++ !== packet) return [bytes];
        this.#isStruck = true;
        const at = Math.floor(share * bytes.length);
        fired();
        return [bytes.subarray(0, at), { kind: 'hold', until: this.#strike }, { kind: 'halfClose' }];
      },
    };
  }
}
