/** What asks a session to stop its work: an executor that works in several transactions looks at it between two of them. */
export class Stops {
  /** How many cancel requests have come for the session. */
  cancels = 0;
  /** The proxy is being shut down. */
  isDraining = false;
}
