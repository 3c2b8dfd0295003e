/** Scripts for the program sqlite3. */
import type { Relation } from '../../graph/model.js';
import { quoteName } from '../../sql/names.js';
import { closureByArms, deleteFrom, plainLiteral, type ScriptDialect } from './script-dialect.js';
import type { Rule } from './step.js';

/** Without `.bail on` the program would go on after an error, up to the COMMIT. Foreign keys are switched off outside of transactions alone. */
export const sqlite: ScriptDialect = {
  program: 'sqlite3',
  quote: quoteName,
  table: ({ name }: Relation) => quoteName(name),
  reopens: true,
  typesNulls: false,
  createsInside: false,
  head: () => ['.bail on', 'PRAGMA foreign_keys = OFF;'],
  begin: () => ['BEGIN IMMEDIATE;'],
  end: ['COMMIT;'],
  create: (name, select) => [
    `DROP TABLE IF EXISTS temp.${quoteName(name)};`,
    `CREATE TEMP TABLE ${quoteName(name)} AS ${select};`,
  ],
  /** CREATE TEMP TABLE "pgc_rules" (broken CONSTRAINT "users_org_fkey: …" CHECK (broken <> 1), …): SQLite's error has the constraint's name. */
  prepareRules: (rules) => [
    'DROP TABLE IF EXISTS temp."pgc_rules";',
    `CREATE TEMP TABLE "pgc_rules" (\n${[
      '  broken',
      ...rules.map(
        (rule) => `  CONSTRAINT ${quoteName(described(rule))} CHECK (broken <> ${plainLiteral(rule.name)})`,
      ),
    ].join(',\n')}\n);`,
  ],
  /** INSERT INTO "pgc_rules" SELECT 'users_org_fkey' FROM users WHERE … LIMIT 1 */
  fail: ({ name, broken }) =>
    `INSERT INTO "pgc_rules" SELECT ${plainLiteral(name)} WHERE EXISTS (${broken});`,
  closure: closureByArms,
  together: (deletes) => deletes.map(deleteFrom),
  /** foreign_key_check reports, and stops nothing: so what it finds is counted before and after. What was broken before may stay. */
  ownCheck: {
    before: (tables) => [
      'DROP TABLE IF EXISTS temp."pgc_before";',
      `CREATE TEMP TABLE "pgc_before" AS\n${counted(tables)};`,
    ],
    after: (tables) => ({
      name: 'PRAGMA foreign_key_check',
      message: 'SQLite finds rows that reference nothing, and did not before',
      broken: `SELECT 1 FROM (\n${counted(tables)}\n) AS a LEFT JOIN "pgc_before" AS b ON a."table" = b."table" AND a.parent = b.parent AND a.fkid = b.fkid WHERE a.n > coalesce(b.n, 0)`,
    }),
  },
};

/** SELECT "table", parent, fkid, count(*) AS n FROM pragma_foreign_key_check('users') GROUP BY 1, 2, 3 UNION ALL … */
function counted(tables: readonly Relation[]): string {
  return tables
    .map(
      ({ name }) =>
        `  SELECT "table", parent, fkid, count(*) AS n FROM pragma_foreign_key_check('${name.replaceAll("'", "''")}') GROUP BY 1, 2, 3`,
    )
    .join('\n  UNION ALL\n');
}

function described({ name, message }: Rule): string {
  return `${name}: ${message}`;
}
