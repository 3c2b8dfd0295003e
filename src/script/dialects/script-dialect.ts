/** What the scripts for one engine differ in. Each dialect is a file of dialects/. */
import type { Relation } from '../../graph/model.js';
import type { Rule } from './step.js';

export interface ScriptDialect {
  /** The program that runs the script. */
  readonly program: string;
  quote(name: string): string;
  /** The name of a table with its schema, where that says something. */
  table(relation: Relation): string;
  /** A statement may name a temporary table more than once. */
  readonly reopens: boolean;
  /** A NULL in an arm of a recursive query needs the type of its column. */
  readonly typesNulls: boolean;
  /** Temporary tables are made in the transaction, and go with it. */
  readonly createsInside: boolean;
  /** Lines before anything else. @param recursive whether the script searches recursively */
  readonly head: (facts: ScriptFacts) => readonly string[];
  readonly begin: (facts: ScriptFacts) => readonly string[];
  readonly end: readonly string[];
  /** @param select gives no row, and the columns */
  create(name: string, select: string): readonly string[];
  /** What `fail` needs to be there. */
  prepareRules(rules: readonly Rule[]): readonly string[];
  /** A statement that fails where a rule is broken. */
  fail(rule: Rule): string;
  /** `WITH RECURSIVE reached AS (…) SELECT * FROM reached`, inside of which each arm reads `reached AS p`. */
  closure(seeds: string, arms: readonly Arm[]): string;
  /** How the engine itself is asked whether its keys hold, where they do not stop a change themselves. */
  readonly ownCheck?: {
    /** Keeps what was broken before. @param tables the referencing ones */
    readonly before: (tables: readonly Relation[]) => readonly string[];
    readonly after: (tables: readonly Relation[]) => Rule;
  };
  /** The DELETEs of tables that reference each other. */
  together(deletes: readonly TableDelete[]): readonly string[];
}

export interface ScriptFacts {
  readonly isCyclic: boolean;
  /** All tables that the script reads or changes. */
  readonly tables: readonly string[];
}

/** Rows that are found over one key, from those that were found before, which are called p. */
export interface Arm {
  readonly columns: readonly string[];
  readonly from: string;
  /** What joins it with p. */
  readonly condition: string;
}

export interface TableDelete {
  readonly table: string;
  readonly condition: string;
}

/** `WITH RECURSIVE reached AS (SELECT … UNION SELECT … FROM reached AS p JOIN …)`, where each arm may read what was reached. */
export function closureByArms(seeds: string, arms: readonly Arm[]): string {
  const more = arms.map(
    ({ columns, from, condition }) =>
      `  UNION\n  SELECT ${columns.join(', ')}\n  FROM reached AS p JOIN ${from} ON ${condition}`,
  );
  return [`WITH RECURSIVE reached AS (\n  SELECT * FROM ${seeds}`, ...more, ')\nSELECT * FROM reached'].join(
    '\n',
  );
}

export function deleteFrom({ table, condition }: TableDelete): string {
  return `DELETE FROM ${table} WHERE ${condition};`;
}

/** A string without backslashes: these are read otherwise by each engine. */
export function plainLiteral(text: string): string {
  return `'${text.replaceAll('\\', '/').replaceAll("'", "''")}'`;
}
