/** What can be done over HTTP, by POST: read the configuration again, and end. */
import { type Actions, JSON_TYPE, type Page, plain } from './server.js';

export interface Actionable {
  /** Reads the configuration again. */
  reload(): Promise<
    | { readonly kind: 'applied'; readonly changed: readonly string[]; readonly restart: readonly string[] }
    | { readonly kind: 'refused'; readonly reason: string }
  >;
  /** Ends the program, when the answer is sent. */
  quit(): void;
  /** Whether admin.quit allows that. */
  mayQuit(): boolean;
}

export function actions({ reload, quit, mayQuit }: Actionable): Actions {
  return new Map<string, () => Page | Promise<Page>>([
    [
      '/reload',
      async () => {
        const done = await reload();
        if (done.kind === 'refused') return plain(422, done.reason);
        const { changed, restart } = done;
        return { status: 200, type: JSON_TYPE, body: `${JSON.stringify({ changed, restart }, null, 2)}\n` };
      },
    ],
    [
      '/quitquitquit',
      () => {
        if (!mayQuit()) return plain(403, 'refused: admin.quit is not true');
        setImmediate(quit);
        return plain(200, 'shutting down');
      },
    ],
  ]);
}
