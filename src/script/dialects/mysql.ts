/** Scripts for the programs mysql and mariadb. */
import { closureByArms, deleteFrom, plainLiteral, type ScriptDialect } from './script-dialect.js';

const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``;

/**
 * Both programs end at the first error, and the server then undoes the transaction. SERIALIZABLE, so that what was read stays as it is until
 * the end. A row for each rule is there already: a second one is the error, which has the message in it under every sql_mode.
 */
function mysqlLike(program: string, reopens: boolean): ScriptDialect {
  return {
    program,
    quote,
    table: ({ schema, name }) => (schema === '' ? quote(name) : `${quote(schema)}.${quote(name)}`),
    reopens,
    typesNulls: false,
    createsInside: false,
    head: ({ isCyclic }) => [
      "SET SESSION sql_mode = CONCAT_WS(',', NULLIF(@@SESSION.sql_mode, ''), 'STRICT_ALL_TABLES');",
      'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE;',
      ...(isCyclic
        ? [
            // A version beyond 50700 is none of MariaDB's, and M!: is no comment to MariaDB alone.
            '/*!80003 SET SESSION cte_max_recursion_depth = 4294967295 */;',
            '/*M!100200 SET SESSION max_recursive_iterations = 4294967295 */;',
            'SET SESSION foreign_key_checks = 0;',
          ]
        : []),
    ],
    begin: () => ['START TRANSACTION;'],
    end: ['COMMIT;'],
    create: (name, select) => [
      `DROP TEMPORARY TABLE IF EXISTS ${quote(name)};`,
      `CREATE TEMPORARY TABLE ${quote(name)} AS ${select};`,
    ],
    prepareRules: (rules) => [
      'DROP TEMPORARY TABLE IF EXISTS `pgc_rules`;',
      'CREATE TEMPORARY TABLE `pgc_rules` (`rule` VARCHAR(180), UNIQUE KEY `pgcascade_rule_is_broken` (`rule`)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;',
      `INSERT INTO \`pgc_rules\` VALUES\n${rules.map((rule) => `  (${plainLiteral(wording(rule))})`).join(',\n')};`,
    ],
    /** INSERT INTO pgc_rules SELECT 'users_org_fkey: …' FROM DUAL WHERE EXISTS (…) */
    fail: (rule) =>
      `INSERT INTO \`pgc_rules\` SELECT ${plainLiteral(wording(rule))} FROM DUAL WHERE EXISTS (${rule.broken});`,
    closure: closureByArms,
    together: (deletes) => deletes.map(deleteFrom),
  };
}

/** As long as the key of a table in utf8mb4 can be in every engine and version: 767 bytes. */
const LONGEST = 180;

function wording({ name, message }: { readonly name: string; readonly message: string }): string {
  return `${name}: ${message}`.slice(0, LONGEST);
}

/** MySQL cannot name a temporary table twice in one statement (ER_CANT_REOPEN_TABLE). */
export const mysql = mysqlLike('mysql', false);

/** MariaDB can, from 10.2.1 on. */
export const mariadb = mysqlLike('mariadb', true);
