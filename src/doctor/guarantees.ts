/** What holds with each pair of `cascade.guard` and `cascade.locks`. docs/configuration.md has the same table. */
import type { Config } from '../config/schema.js';

type Guard = Config['cascade']['guard'];
type Locks = Config['cascade']['locks'];

/** For keys that no server enforces and pgcascade performs, in READ COMMITTED, of clients that go through pgcascade. */
export const GUARANTEES: Readonly<Record<Guard, Readonly<Record<Locks, string>>>> = {
  off: {
    none: 'A child that is committed while a `DELETE` of its parent runs may be left behind, whatever its writer locks. A key may name nothing.',
    rows: 'No child is left behind whose writer has locked the parent, and found it, in the same transaction (`SELECT … FOR KEY SHARE`). One of another writer may be. A key may name nothing.',
    tables:
      'No child is left behind that anybody wrote before the `DELETE` has its locks. Who writes later waits for its end, and leaves an orphan unless it looks for the parent in the same statement or after it. A key may name nothing.',
  },
  lock: {
    none: 'A child that is committed while a `DELETE` of its parent runs may be left behind: the `DELETE` waits for its writer, and then misses it. A key may name nothing.',
    rows: 'No child is left behind of a writer that saw its parent. A key that names nothing passes, so a row can be written for a parent that was gone before.',
    tables:
      'As `off` with `tables`, and of clients that go through pgcascade no child is left behind that names a parent which was there when they wrote. A key that names nothing passes.',
  },
  check: {
    none: 'A key that names nothing is refused (23503). A child that is committed while a `DELETE` of its parent runs may be left behind.',
    rows: 'No orphan, as with enforced keys, but for the exceptions that docs/configuration.md names.',
    tables:
      'No orphan of clients that go through pgcascade, as with `rows`, and none of others that was written before a `DELETE` has its locks.',
  },
};
