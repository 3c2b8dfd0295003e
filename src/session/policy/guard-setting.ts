/**
 * Whether a session may have set pgcascade.guard itself. Where the configuration guards nothing either, nothing has to be known of
 * what its statements write, and the server is not asked for the setting.
 */

/**
 * Names are in any case; they may be escaped, or computed where set_config is called. A call with the plain name of another setting
 * right behind its parenthesis sets none of the proxy's.
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

  /** Takes note of a client's text that may set something. What a function sets that the text calls cannot be seen. */
  note(text: Buffer): void {
    this.#mayBeSet ||= MAY_NAME.test(text.toString('latin1'));
  }
}
