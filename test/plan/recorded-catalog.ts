/** What PostgreSQL says of the schemas of the golden files, kept in test/plan/catalogs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { configSchema } from '../../src/config/schema.js';
import { readAnswer } from '../../src/graph/catalog/answer.js';
import type { Catalog } from '../../src/graph/catalog/catalog.js';
import { catalogQuestion } from '../../src/graph/catalog/question.js';
import type { RelationName } from '../../src/sql/names.js';
import { readStatements, type Statement, targetsOf } from '../../src/sql/statement/statement.js';
import type { Database } from '../support/database.js';
import type { Golden } from './golden.js';

/** What a server answers to the question of a golden file. */
export interface Recorded extends Catalog {
  /** The object id of each of the question's names; null where there is no such relation. */
  readonly meanings: readonly (number | null)[];
}

/** What a golden file wants to know. */
export interface Question {
  readonly statements: readonly Statement[];
  /** The relations that the statements name. */
  readonly names: readonly RelationName[];
  readonly cascadeConfig: z.output<typeof configSchema>['cascade'];
}

/** The parser has to be ready. */
export function questionOf({ cascade, statement }: Golden): Question {
  const statements = readStatements(statement) ?? [];
  const names = [...statements.flatMap(targetsOf), ...statements.flatMap(changedBy)];
  const configured = cascade === undefined ? {} : parse(cascade);
  return { statements, names, cascadeConfig: configSchema.parse({ cascade: configured }).cascade };
}

/** The relations that the statement changes besides, whose names are asked for with the others. */
function changedBy({ meaning }: Statement): readonly RelationName[] {
  return meaning.kind === 'deleting' ? meaning.writes.map(({ target }) => target) : [];
}

/** Makes the schema in the database, in place of what is there, and asks. */
export async function askServer(database: Database, golden: Golden): Promise<Recorded> {
  const { names, cascadeConfig } = questionOf(golden);
  const question = { names, fingerprint: false, catalog: true, server: false };
  const client = await database.connect();
  try {
    await client.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${golden.schema}`);
    const { rows } = await client.query<{ answer: string }>(
      catalogQuestion(question, cascadeConfig.relations),
    );
    const { meanings, catalog } = await readAnswer(rows[0]?.answer ?? '');
    if (!catalog) throw new Error('the answer has no catalog');
    return ordered(withCountedIds({ meanings, ...catalog }));
  } finally {
    await client.end();
  }
}

/** The first that PostgreSQL gives to what is not its own (transam.h, FirstNormalObjectId). */
const FIRST_ID = 16_384;

/** Object ids differ from run to run, and their order does not: the smallest becomes 16384, the next one 16385. */
function withCountedIds(recorded: Recorded): Recorded {
  const text = JSON.stringify(recorded);
  const ids = new Set<number>();
  const isId = (value: unknown) => typeof value === 'number' && value >= FIRST_ID;
  JSON.parse(text, (_, value) => {
    if (isId(value)) ids.add(value);
    return value;
  });
  const ordered = [...ids].sort((a, b) => a - b);
  const counted = new Map(ordered.map((id, i) => [id, FIRST_ID + i]));
  return JSON.parse(text, (_, value) => (isId(value) ? counted.get(value) : value));
}

/** With an order of its own for each list that the question leaves without one: there it differs from run to run. */
function ordered(recorded: Recorded): Recorded {
  const relations = recorded.relations.map((relation) => ({
    ...relation,
    triggers: sorted(relation.triggers),
    parents: sorted(relation.parents),
    viewOf: sorted(relation.viewOf),
    reads: sorted(relation.reads),
  }));
  const keys = recorded.keys.map((key) => ({ ...key, copies: key.copies && sorted(key.copies) }));
  return { ...recorded, relations: sorted(relations), keys };
}

function sorted<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, text: JSON.stringify(item) }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ item }) => item);
}

const folder = new URL('./catalogs/', import.meta.url);

function fileOf(golden: string): URL {
  return new URL(golden.replace(/golden$/, 'json'), folder);
}

/** @param golden the name of the golden file */
export function readRecorded(golden: string): Recorded {
  return JSON.parse(readFileSync(fileOf(golden), 'utf8'));
}

/** A line for each relation and each key, so that a change of one is a change of its line. */
export function writeRecorded(golden: string, recorded: Recorded): void {
  const lists = Object.entries(recorded).map(([name, items]: [string, readonly unknown[]]) => {
    const lines = items.map((item) => `\n    ${JSON.stringify(item)}`);
    return `  "${name}": [${lines.join(',')}${lines.length > 0 ? '\n  ' : ''}]`;
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(golden), `{\n${lists.join(',\n')}\n}\n`);
}
