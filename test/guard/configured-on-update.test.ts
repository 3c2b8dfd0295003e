/** on_update in cascade.relations does, with cascade.guard: check, what ON UPDATE of such a foreign key does natively. */
import { test } from 'vitest';
import { useGuardTwin } from './guard-twin.js';

const ACTIONS = ['cascade', 'set null', 'set default', 'no action', 'restrict'] as const;
const nameOf = (action: string) => action.replace(' ', '_');

/** The first of the twins has the keys, and the configuration of the proxy says them of the other. */
const SCHEMA = `
  CREATE TABLE parents (id int PRIMARY KEY);
  ${ACTIONS.map((action) => `CREATE TABLE of_${nameOf(action)} (id int PRIMARY KEY, parent int DEFAULT 7);`).join('\n')}
  DO $$ BEGIN IF 'KEYS' = 'ENFORCED' THEN
    ${ACTIONS.map(
      (action) =>
        `ALTER TABLE of_${nameOf(action)} ADD CONSTRAINT k_${nameOf(action)} FOREIGN KEY (parent) REFERENCES parents ON UPDATE ${action};`,
    ).join('\n')}
  END IF; END $$;`;
const ROWS = `
  TRUNCATE parents, ${ACTIONS.map((action) => `of_${nameOf(action)}`).join(', ')};
  INSERT INTO parents VALUES (1), (2), (3), (7);
  INSERT INTO of_cascade VALUES (1, 1); INSERT INTO of_set_null VALUES (1, 1); INSERT INTO of_set_default VALUES (1, 1);
  INSERT INTO of_no_action VALUES (1, 2); INSERT INTO of_restrict VALUES (1, 3);`;

const relations = ACTIONS.map((action) => ({
  name: `k_${nameOf(action)}`,
  from: `public.of_${nameOf(action)}(parent)`,
  to: 'public.parents(id)',
  on_delete: 'no action' as const,
  on_update: action,
}));
const twin = useGuardTwin({ cascade: { guard: 'check', relations } }, SCHEMA, ROWS);

test.each([1, 2, 3, 7])('of row %i', async (id) => {
  await twin.queries(`UPDATE parents SET id = 10 WHERE id = ${id}`, 'UPDATE parents SET id = 8 WHERE id = 7');
});
