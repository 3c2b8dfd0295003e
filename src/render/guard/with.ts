/**
 * A statement that looks at the keys which it writes at several places, or in its WITH, or in a COPY. Each part becomes a CTE of its own, and
 * all that it writes is looked at when all of it is written: natively keys are checked at the end of the whole statement.
 */
import { ProxyError } from '../../errors.js';
import { quoteName, quoteRelation } from '../../sql/names.js';
import type { WritingQuery, WritingStatement } from '../../sql/statement/statement.js';
import { type Columns, returnedNames } from '../returned-columns.js';
import { columnName } from '../single/actions/rows.js';
import { stillMeans } from '../single/meaning.js';
import type { ResultShape } from '../single/render.js';
import { clientName } from '../single/root.js';
import { type Edit, insertion } from '../splice.js';
import {
  allWritten,
  breaks,
  caseOf,
  checksOf,
  type NewKeyCheck,
  type OwnRows,
  type RenderedGuard,
  returningEdit,
  shapeOf,
  spliceNamed,
} from './guard.js';
import { type Guarded, keepsKey, keptBeside, type WrittenPart as Part, Returned } from './guarded.js';
import { changesOf } from './on-update.js';
import { HOLDS, withoutMain, writesWhere } from './stoppers.js';

/** The client's statement, and what the server tells of its columns. */
export interface Source {
  readonly text: string;
  readonly statement: WritingStatement;
  readonly query: WritingQuery;
  readonly columns: Columns;
}

/**
 * `WITH u AS (INSERT INTO users VALUES (3) RETURNING id) INSERT INTO posts SELECT 1, id FROM u` becomes
 *
 *     WITH pgc_0 (pgc_c0, pgc_x0) AS (INSERT INTO users VALUES (3) RETURNING users.id, id), u (id) AS (SELECT pgc_x0 FROM pgc_0),
 *     pgc_1 (pgc_c0) AS (
 *     INSERT INTO posts SELECT 1, id FROM u
 *     RETURNING posts.author
 *     ),
 *     pgc_h (h) AS (SELECT (SELECT count(*) FROM pgc_1) >= 0 AND … (SELECT count(*) FROM pgc_1 AS n WHERE CASE WHEN … ELSE true END) >= 0)
 *     SELECT count(*) FROM pgc_1 AS n WHERE (SELECT h FROM pgc_h)
 *
 * @param parts in the order in which PostgreSQL carries them out
 * @throws ProxyError PGC_GUARD where the names of columns cannot be found out, and what `columns` throws
 */
export function renderGuardedWith(
  text: string,
  statement: WritingStatement,
  query: WritingQuery,
  guarded: readonly Guarded[],
  columns: Columns,
): RenderedGuard {
  const source: Source = { text, statement, query, columns };
  const parts = guarded.map((each, i): Part => ({ guarded: each, columns: new Returned(each, i) }));
  const { conditions, checks, followUps } = conditionsOf(parts);
  const holds = `${HOLDS} (h) AS (SELECT ${conditions.join('\n AND ')})`;
  const inner = parts.flatMap((part) => cteEdits(part, source));
  const main = parts.find((part) => part.guarded.site.cte === undefined);
  const { edits, shape } = main ? mainEdits(main, holds, source) : withoutMain(guarded, holds, query);
  return { ...spliceNamed(text, [...inner, ...edits], guarded), shape, checks, followUps };
}

type Conditions = Pick<Required<RenderedGuard>, 'checks' | 'followUps'> & {
  readonly conditions: readonly string[];
};

/**
 * All is written before anything is looked at; then come the keys that are checked at once, and then the deferred ones. What the rows of one
 * part leave is handed on at the end.
 * @param first the number of the first check
 */
export function conditionsOf(parts: readonly Part[], first = 0): Conditions {
  const changing = parts.find(({ guarded }) => changesKeys(guarded));
  const changes = changing && changesOf(changing.guarded, changing.columns);
  const before = changes?.checks ?? [];
  const all = parts.flatMap((part) => checksOf(part.guarded.keys).map((check) => ({ part, check })));
  const cases = all.map(({ part, check }, place) => ({
    part,
    isDeferred: check.key.deferred,
    sql: breaks(
      check,
      first + before.length + place,
      part.columns,
      part.guarded,
      ownRowsOf(check, part, parts),
      [
        ...keepsKey(check.key, part.guarded, part.columns),
        ...keptBeside(check.key, part.columns, parts.slice(0, parts.indexOf(part))),
      ],
    ),
  }));
  const looks = [false, true].flatMap((deferred) =>
    parts.flatMap((part) => {
      const own = cases.filter((each) => each.part === part && each.isDeferred === deferred);
      return own.length === 0
        ? []
        : [
            look(
              part,
              own.map(({ sql }) => sql),
            ),
          ];
    }),
  );
  return {
    conditions: [
      ...parts.map(({ guarded }) => stillMeans(guarded.site.write.target, guarded.target.named)),
      ...parts.map(({ columns }) => allWritten(columns)),
      ...(changing && changes ? [look(changing, changes.cases)] : []),
      ...looks,
      ...(changes?.handsOn ?? []),
    ],
    checks: [...before, ...all.map(({ check }) => check)],
    followUps: changes?.followUps ?? [],
  };
}

/** Whether rows may leave what keys reference. */
function changesKeys({ changes: { leaving, refused } }: Guarded): boolean {
  return refused.length > 0 || leaving.some(({ keys }) => keys.length > 0);
}

/** `(SELECT count(*) FROM pgc_0 AS n WHERE CASE WHEN … ELSE true END) >= 0` */
export function look({ columns }: Part, cases: readonly string[]): string {
  return `(SELECT pg_catalog.count(*) FROM ${columns.rows} AS n\nWHERE ${caseOf(cases)}) OPERATOR(pg_catalog.>=) 0`;
}

function ownRowsOf({ key, own }: NewKeyCheck, part: Part, parts: readonly Part[]): readonly OwnRows[] {
  return parts.flatMap((each): readonly OwnRows[] => {
    const within = each === part ? own : each.guarded.referencedHere?.get(key);
    return within === undefined ? [] : [{ columns: each.columns, within }];
  });
}

/**
 * A CTE of the client's. Its name comes to stand for what its own RETURNING gives. A statement cannot read from a CTE that returns nothing: its
 * name stays, so that the server finds that error itself.
 */
export function cteEdits(part: Part, source: Source): readonly Edit[] {
  const { guarded, columns } = part;
  const { site } = guarded;
  const { cte } = site;
  if (cte === undefined) return [];
  const name = quoteName(cte.name);
  const names = site.returning ? namesReturned(part, source) : [];
  // More names in its header than columns: the server refuses it.
  if (cte.columns.length > names.length) return [];
  const own = names.map((_, i) => clientName(i));
  const called = [...cte.columns, ...names.slice(cte.columns.length)].map(quoteName).join(', ');
  const rest = site.returning
    ? `${name} (${called}) AS (SELECT ${own.join(', ')} FROM ${columns.rows})`
    : `${name} AS (${writesWhere(guarded, 'false')})`;
  return [
    { start: cte.start, end: cte.body, sql: header(part, own) },
    returningEdit(site, columns),
    insertion(cte.end, `, ${rest}`),
  ];
}

/** `pgc_0 (pgc_c0, pgc_x0) AS (` */
function header({ columns }: Part, own: readonly string[]): string {
  const names = [...columns.expressions.map((_, i) => columnName(i)), ...own];
  return `${columns.rows} (${names.join(', ')}) AS (`;
}

/** The statement itself is a part: what it returns comes from its CTE. `holds`: the CTE `pgc_h`, and what stands before it. */
export function mainEdits(
  part: Part,
  holds: string,
  source: Source,
): { readonly edits: readonly Edit[]; readonly shape: ResultShape } {
  const { columns, guarded } = part;
  const { site } = guarded;
  const { query, statement } = source;
  const isCopied = statement.outer === 'COPY' && site.returning !== undefined;
  const names = isCopied ? namesReturned(part, source) : [];
  const copied = names.map((name, i) => `${clientName(i)} AS ${quoteName(name)}`).join(', ');
  const results = site.returning === undefined ? 'pg_catalog.count(*)' : isCopied ? copied : 'n.*';
  const opening = header(
    part,
    names.map((_, i) => clientName(i)),
  );
  return {
    edits: [
      insertion(query.start, `${query.hasWith ? ', ' : 'WITH '}${opening}\n`),
      returningEdit(site, columns),
      insertion(
        site.end,
        `\n),\n${holds}\nSELECT ${results} FROM ${columns.rows} AS n WHERE (SELECT h FROM ${HOLDS})`,
      ),
    ],
    shape: shapeOf(site, columns.expressions.length),
  };
}

/** @throws ProxyError PGC_GUARD where they cannot be found out */
function namesReturned({ guarded }: Part, { text, statement, query, columns }: Source): readonly string[] {
  const { site, target, level } = guarded;
  const { outer, prepares, form } = statement;
  const { start, end, place } = query;
  const names = returnedNames(
    text,
    { query: place, start, end, outer, prepares },
    site,
    target.named,
    columns,
  );
  if (names !== undefined) return names;
  throw new ProxyError('PGC_GUARD', {
    form: `${form} with a RETURNING of which nobody can tell what its columns are called`,
    guard: level,
    table: quoteRelation(target.named),
  });
}
