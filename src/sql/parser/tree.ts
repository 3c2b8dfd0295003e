/** Reads the parser's trees, of which nothing but the JSON is known: what is not there is empty. */
import type { RelationName } from '../names.js';
import type { Json, Node } from './parser.js';

export function relationName(rangeVar: Node): RelationName {
  return {
    schema: stringOf(rangeVar.schemaname),
    name: String(rangeVar.relname),
  };
}

export function node(tree: Node, type: string): Node | undefined {
  const value = tree[type];
  return value === undefined ? undefined : asNode(value);
}

export function stringOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function asNode(value: Json | undefined): Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : {};
}

export function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
