/**
 * What is planned for a statement, and the SQL that is sent for it: test/plan/*.golden, each a schema and a statement with
 * what the program makes of them. What PostgreSQL says of the schema is kept in test/plan/catalogs, so that no server is
 * needed; `test/graph/golden-catalogs.test.ts` holds that to a server.
 *
 * `UPDATE_GOLDEN=1 npx vitest run test/plan` asks a server, and writes catalogs, plans and SQL anew. The difference shows
 * what a change changes.
 */

import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { CatalogRelation } from '../../src/graph/catalog/catalog.js';
import { mergeGraph } from '../../src/graph/merge.js';
import { POSTGRES } from '../../src/profiles/families/postgres.js';
import { type Profile, profileOf } from '../../src/profiles/profile.js';
import { familyNamed } from '../../src/profiles/recognise.js';
import type { Sequence } from '../../src/render/ordered/sequence.js';
import type { Pages } from '../../src/render/paged/pages.js';
import type { Treatment } from '../../src/rewrite/statement/treatment.js';
import { type Rewrite, rewrite } from '../../src/rewrite/text.js';
import { strategyOf } from '../../src/session/decide/rewriter.js';
import { quoteRelation } from '../../src/sql/names.js';
import { parserReady } from '../../src/sql/parser/parser.js';
import { atOnce } from '../support/at-once.js';
import { useDatabase } from '../support/database.js';
import { GOLDEN_FILES, type Golden, readGolden, writeGolden } from './golden.js';
import { type Found, plainSections } from './plain-text.js';
import { planText, sqlText } from './plan-text.js';
import { askServer, questionOf, type Recorded, readRecorded, writeRecorded } from './recorded-catalog.js';

const VERSION = 18;
const database = process.env.UPDATE_GOLDEN === '1' ? useDatabase() : undefined;

beforeAll(() => parserReady());

test.each(GOLDEN_FILES)('what %s has is planned and written', async (name) => {
  const golden = readGolden(name);
  if (database) {
    const recorded = await askServer(database, golden);
    writeRecorded(name, recorded);
    writeGolden(name, { ...golden, made: await make(golden, recorded) });
  } else {
    const made = await make(golden, readRecorded(name));
    expect(Object.fromEntries(made)).toEqual(Object.fromEntries(golden.made));
  }
});

async function make(golden: Golden, recorded: Recorded): Promise<Golden['made']> {
  const { statement } = golden;
  const profile = profileFor(golden);
  const { statements, names, cascadeConfig } = questionOf(golden);
  const known = new Map(names.map((each, i) => [quoteRelation(each), recorded.meanings[i] ?? null]));
  const graph = await mergeGraph(recorded, cascadeConfig);
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
          profile,
          counting: false,
          refusesCode: cascadeConfig.code === 'reject',
          triggers: cascadeConfig.triggers,
          guard: cascadeConfig.guard,
          verifiesCopies: cascadeConfig.copy === 'verify',
          locks: cascadeConfig.locks,
          atomic: true,
          strategy: strategyOf(cascadeConfig.strategy, profile.family, { isByNames: !profile.hasCatalog }),
          batchRows: cascadeConfig.batch_rows ?? 0,
          onLimit: 'fail',
          reject: cascadeConfig.unsupported === 'reject',
          inString: true,
          retries,
        },
        { touched: false, sensitive: graph.isActive },
      ),
    );
  const first = sent(statements.length === 1);
  const exact = sent(false);
  return new Map([
    ...sectionsOf(first, exact, recorded.relations),
    ...first.treatments.flatMap((treatment) =>
      treatment.kind === 'cascade' && treatment.program.kind === 'plain'
        ? plainSections(treatment.program.sequence, treatment.plan, foundIn(golden))
        : [],
    ),
  ]);
}

/** @throws Error for a family that is not known */
function profileFor({ family: name }: Golden): Profile {
  if (name === undefined) return profileOf(POSTGRES, VERSION);
  const known = familyNamed(name);
  if (!known) throw new Error(`no family is called ${name}`);
  const { family } = known;
  return profileOf(family, family.graph === 'pg_constraint' ? VERSION : 0);
}

function foundIn({ found = '{}' }: Golden): Found {
  return FOUND.parse(parse(found));
}

const FOUND = z.record(z.string(), z.array(z.array(z.string())));

/** @param exact what is sent where the first one found that a rule may be broken */
function sectionsOf(
  first: Rewrite,
  exact: Rewrite,
  relations: readonly CatalogRelation[],
): [string, string][] {
  const sent = first.sql !== first.text ? [section('sql', sqlText(first.sql, relations))] : [];
  const again =
    exact.sql === first.sql
      ? []
      : [section('sql, where a rule may be broken', sqlText(exact.sql, relations))];
  const locks = first.treatments.flatMap((treatment) =>
    treatment.kind === 'cascade' && treatment.program.kind === 'single' && treatment.program.locks
      ? [
          section(
            'locks',
            treatment.program.locks.statements.map(({ sql }) => sqlText(sql, relations)).join('\n;\n'),
          ),
        ]
      : [],
  );
  const steps = first.treatments.flatMap((part) => {
    if (part.kind !== 'cascade') return [];
    if (part.program.kind === 'ordered') return sequenceSections(part.program.sequence, relations);
    return part.program.kind === 'paged' ? pageSections(part.program.pages, relations) : [];
  });
  const warnings = first.warnings.length > 0 ? [section('warnings', first.warnings.join('\n'))] : [];
  return [...first.treatments.map(treatmentSection), ...sent, ...again, ...locks, ...steps, ...warnings];
}

/** What pages send: each section in one go, the first once, the others for each page. */
function pageSections(
  { ask, roots, levels, rules, writes, end }: Pages,
  relations: readonly CatalogRelation[],
): readonly [string, string][] {
  const text = (steps: readonly { readonly sql: string }[]) =>
    steps.map(({ sql }) => sqlText(sql, relations)).join('\n;\n');
  return [
    ...(ask ? [section('pages: asked once', text([ask]))] : []),
    section('pages: rows of the client', text([roots])),
    ...levels.map((level, i) => section(`pages: level ${i + 1}`, text(level.map(({ step }) => step)))),
    section(
      'pages: all that is changed',
      text([...rules, ...writes.map(({ step }) => step), ...(end ? [end] : [])]),
    ),
  ];
}

/** What a sequence sends: each section in one go. */
function sequenceSections(
  { roots, levels, writes, last, sweep }: Sequence,
  relations: readonly CatalogRelation[],
): readonly [string, string][] {
  const text = (steps: readonly { readonly sql: string }[]) =>
    steps.map(({ sql }) => sqlText(sql, relations)).join('\n;\n');
  return [
    section('sequence: the rows of the client', text([roots])),
    ...levels.map((level, i) => section(`sequence: level ${i + 1}`, text(level))),
    section('sequence: all that is changed', text([...writes, last, ...(sweep ? [sweep] : [])])),
  ];
}

function treatmentSection(treatment: Treatment, i: number): [string, string] {
  const name = i === 0 ? 'plan' : `plan of statement ${i + 1}`;
  switch (treatment.kind) {
    case 'cascade':
      return section(name, planText(treatment.plan));
    case 'prepare':
      return section(
        name,
        treatment.executeTreatment.kind === 'cascade'
          ? planText(treatment.executeTreatment.plan)
          : treatment.executeTreatment.kind,
      );
    case 'refused':
      return section(
        name,
        `refused: ${treatment.error.sqlstate} ${treatment.error.errorName}: ${treatment.error.message}`,
      );
    case 'truncate':
      return section(name, `takes along: ${treatment.tables.join(', ')}`);
    case 'guarded':
      return section(name, treatment.checks.map(({ kind, key }) => `${kind}: ${key.name}`).join('\n'));
    case 'followUp':
      return section(name, 'looks at what the statement before has left');
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
