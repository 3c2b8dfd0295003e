/**
 * Whether a session may have set one of the settings pgcascade.* itself. Where it cannot, and the configuration guards nothing, the proxy need
 * not know what the session's statements write, and does not ask the server for pgcascade.guard.
 */

/**
 * What a text has that sets one of these. Names may be in any case, escaped, or computed where set_config is called. A call of set_config that
 * has the plain name of another setting directly after its parenthesis sets none of them.
 */
const MAY_NAME = /pgcascade|set_config(?!"?\s*\(\s*'[\w.]*'\s*,)|U&/i;

export class GuardSetting {
  #mayBeSet: boolean;

  /** @param startup what the client's startup packet says: settings by their names, and options as of a command line */
  constructor(startup: ReadonlyMap<string, string>) {
    // Each character may have a backslash before it (pg_split_opts in postinit.c).
    const options = (startup.get('options') ?? '').replaceAll('\\', '');
    this.#mayBeSet = [...startup.keys(), options].some((each) => MAY_NAME.test(each));
  }

  get mayBeSet(): boolean {
    return this.#mayBeSet;
  }

  /** Looks whether a client's text may set one. What a function sets that the text calls, no text shows. */
  note(text: Buffer): void {
    this.#mayBeSet ||= MAY_NAME.test(text.toString('latin1'));
  }
}
