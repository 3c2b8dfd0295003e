/**
 * What is planned for a statement, and the SQL that is sent for it: test/plan/*.golden, each a schema and a statement with
 * what the program makes of them. PostgreSQL reads the schema; nothing else is executed.
 *
 * `UPDATE_GOLDEN=1 npx vitest run test/plan` writes plans and SQL anew, and the difference shows what a change changes.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '../../src/config/schema.js';
import { type CatalogAnswer, readAnswer } from '../../src/graph/catalog/answer.js';
import type { CatalogRelation } from '../../src/graph/catalog/catalog.js';
import { catalogQuestion } from '../../src/graph/catalog/question.js';
import { mergeGraph } from '../../src/graph/merge.js';
import { postgres } from '../../src/profiles/profile.js';
import type { Treatment } from '../../src/rewrite/statement/treatment.js';
import { type Rewrite, rewrite } from '../../src/rewrite/text.js';
import { quoteRelation, type RelationName } from '../../src/sql/names.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { readStatements, type Statement, targetsOf } from '../../src/sql/statement/statement.js';
import { atOnce } from '../support/at-once.js';
import { useDatabase } from '../support/database.js';
import { type Golden, readGolden, writeGolden } from './golden.js';
import { planText, sqlText } from './plan-text.js';

const folder = new URL('./', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.golden'));
const update = process.env.UPDATE_GOLDEN === '1';
const VERSION = 18;

const database = useDatabase();
let client: pg.Client;

beforeAll(async () => {
  await parserReady();
  client = await database.connect();
});

test.each(files)('what %s has is planned and written', async (name) => {
  const file = new URL(name, folder);
  const golden = readGolden(readFileSync(file, 'utf8'));
  const made = await make(golden);
  if (update) writeFileSync(file, writeGolden({ ...golden, made }));
  else expect(Object.fromEntries(made)).toEqual(Object.fromEntries(golden.made));
});

async function make({ schema, cascade, statement }: Golden): Promise<Golden['made']> {
  await client.query(`DISCARD TEMP; DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${schema}`);
  const statements = readStatements(statement) ?? [];
  const cascadeConfig = configSchema.parse({ cascade: cascade === undefined ? {} : parse(cascade) }).cascade;
  const names = [...statements.flatMap(targetsOf), ...statements.flatMap(changedBy)];
  const { catalog, meanings } = await ask(names, cascadeConfig.relations);
  const known = new Map(names.map((each, i) => [quoteRelation(each), meanings[i] ?? null]));
  if (!catalog) throw new Error('no catalog');
  const graph = await mergeGraph(catalog, cascadeConfig);
  const sent = (retries: boolean) =>
    atOnce(
      rewrite(
        statement,
        statements,
        {
          graph,
          meaning: (each) => known.get(quoteRelation(each)) ?? null,
          returnedColumns: ({ sql }) => [`the columns of: ${sql}`],
          executable: () => undefined,
          profile: postgres(VERSION),
          counting: false,
          refusesCode: cascadeConfig.code === 'reject',
          triggers: cascadeConfig.triggers,
          reject: cascadeConfig.unsupported === 'reject',
          inString: true,
          retries,
        },
        { touched: false, sensitive: graph.isActive },
      ),
    );
  const first = sent(statements.length === 1);
  const exact = sent(false);
  return new Map(sectionsOf(first, exact, catalog.relations));
}

/** @param exact what is sent where the first one found that a rule may be broken */
function sectionsOf(
  first: Rewrite,
  exact: Rewrite,
  relations: readonly CatalogRelation[],
): [string, string][] {
  const sent = first.changed ? [section('sql', sqlText(first.sql, relations))] : [];
  const again =
    exact.sql === first.sql
      ? []
      : [section('sql, where a rule may be broken', sqlText(exact.sql, relations))];
  const locks = first.treatments.flatMap((part) =>
    part.kind === 'cascade' && part.locks ? [section('locks', sqlText(part.locks.sql, relations))] : [],
  );
  const warnings = first.warnings.length > 0 ? [section('warnings', first.warnings.join('\n'))] : [];
  return [...first.treatments.map(partSection), ...sent, ...again, ...locks, ...warnings];
}

function partSection(part: Treatment, i: number): [string, string] {
  const name = i === 0 ? 'plan' : `plan of statement ${i + 1}`;
  switch (part.kind) {
    case 'cascade':
      return section(name, planText(part.plan));
    case 'prepare':
      return section(
        name,
        part.executeTreatment.kind === 'cascade'
          ? planText(part.executeTreatment.plan)
          : part.executeTreatment.kind,
      );
    case 'refused':
      return section(name, `refused: ${part.error.sqlstate} ${part.error.errorName}: ${part.error.message}`);
    case 'truncate':
      return section(name, `takes along: ${part.tables.join(', ')}`);
    case 'swallow':
    case 'cleanUp':
      return section(name, "of the proxy's own");
    default:
      return section(name, 'the statement stays as it is');
  }
}

function section(name: string, text: string): [string, string] {
  return [name, text];
}

/** The relations that the statement changes besides, whose names are asked for with the others. */
function changedBy({ meaning }: Statement): readonly RelationName[] {
  return meaning.kind === 'deleting' ? meaning.changes : [];
}

async function ask(
  names: readonly RelationName[],
  relations: Parameters<typeof catalogQuestion>[1],
): Promise<CatalogAnswer> {
  const question = { names, fingerprint: false, catalog: true, server: false };
  const { rows } = await client.query<{ answer: string }>(catalogQuestion(question, relations));
  return readAnswer(rows[0]?.answer ?? '');
}
