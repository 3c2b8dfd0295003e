/**
 * The one door to node-sql-parser. It knows the grammars of other databases in part, and takes as long to load as all else
 * together: so it is loaded where a text in such a dialect is read, and nowhere else.
 */
import { createRequire } from 'node:module';
import type { Dialect } from './dialect.js';

/** A node of its syntax tree: JSON. */
export type GrammarNode = { readonly [key: string]: GrammarValue };
export type GrammarValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | GrammarNode
  | readonly GrammarValue[];

interface Grammar {
  astify(sql: string): GrammarValue;
}

interface Loaded {
  readonly Parser: new () => Grammar;
}

const require = createRequire(import.meta.url);
/** The package has a file for each grammar; Greenplum's is PostgreSQL's. */
const GRAMMARS: Readonly<Record<Exclude<Dialect, 'postgresql'>, () => unknown>> = {
  mysql: () => require('node-sql-parser/build/mysql.js'),
  mariadb: () => require('node-sql-parser/build/mariadb.js'),
  sqlite: () => require('node-sql-parser/build/sqlite.js'),
  redshift: () => require('node-sql-parser/build/redshift.js'),
  greenplum: () => require('node-sql-parser/build/postgresql.js'),
};

const loaded = new Map<keyof typeof GRAMMARS, Grammar>();

/** @returns the tree of one statement, or undefined where this grammar does not know it */
export function parseStatement(sql: string, dialect: keyof typeof GRAMMARS): GrammarNode | undefined {
  const grammar = grammarOf(dialect);
  try {
    const [tree, ...more] = [grammar.astify(sql)].flat() as readonly GrammarValue[];
    return more.length === 0 && isNode(tree) ? tree : undefined;
  } catch {
    // It says so by an exception, whatever the reason: all of them mean that this text is not known to it.
    return undefined;
  }
}

function grammarOf(dialect: keyof typeof GRAMMARS): Grammar {
  const known = loaded.get(dialect);
  if (known) return known;
  const { Parser } = GRAMMARS[dialect]() as Loaded;
  const grammar = new Parser();
  loaded.set(dialect, grammar);
  return grammar;
}

export function isNode(value: GrammarValue): value is GrammarNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: GrammarValue): readonly GrammarNode[] {
  return (Array.isArray(value) ? value : [value]).filter(isNode);
}
