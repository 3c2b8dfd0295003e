/** Every form in which rows can be written, as texts. */
import { nameIn } from '../delete-sql.js';
import { sqlOf, type Texts } from '../forms.js';
import { quoted } from '../names.js';
import type { Relation, Schema } from '../schema.js';
import { literal, sqlType } from '../values.js';
import { copyStep, SINGLE_COPIES } from './copy.js';
import { insertDefaultsSql, insertSelectSql, insertSql, upsertSql } from './insert-sql.js';
import { mergeWriteSql } from './merge-sql.js';
import { keyFor } from './new-rows.js';
import { updateSql } from './update-sql.js';
import { WRITE_FORMS, type WriteForm, type WriteSpec } from './write-spec.js';
import { type WriteSql, writtenRelation } from './written.js';

/** The forms of one statement. */
const SINGLE: readonly WriteForm[] = WRITE_FORMS.slice(0, WRITE_FORMS.indexOf('several writes'));

/** As a transaction of its own, so that what is checked at COMMIT is checked with the statement. */
export function standingAlone(spec: WriteSpec): WriteSpec {
  // The others are several statements in a string.
  if (spec.form === 'copy in')
    return { ...spec, variant: spec.variant % SINGLE_COPIES, manner: 'simple', transaction: 'none' };
  const form = SINGLE.includes(spec.form) ? spec.form : 'update';
  return { ...spec, form, manner: 'simple', transaction: 'none' };
}

export function writeTextsOf(schema: Schema, spec: WriteSpec): Texts {
  const { variant } = spec;
  const simple = { ...spec, manner: 'simple' } as const;
  const second = secondOf(spec);
  switch (spec.form) {
    case 'several writes': {
      const first = { ...spec, form: SINGLE[spec.help % SINGLE.length] ?? 'insert' };
      const [one, two] = [first, second].map((each) => writeSql(schema, each, literal).text);
      const texts = [
        [`${one}; ${two}`],
        [`BEGIN; ${one}; COMMIT; ${two}`],
        ['BEGIN', one, two, 'COMMIT'],
        ['BEGIN', one, 'SAVEPOINT s', two, 'ROLLBACK TO s', two, 'COMMIT'],
      ][variant % 4] as string[];
      return { kind: 'texts', texts: [...texts, 'ROLLBACK'], whole: true };
    }
    case 'write, then delete':
    case 'delete, then write':
      return withDelete(schema, spec, second);
    case 'write in a with': {
      const { text, rows } = writeSql(schema, { ...second, returning: spec.returning }, literal);
      return { kind: 'texts', texts: [`WITH w AS (${text}) ${rows ? 'TABLE w' : 'SELECT 1'}`], whole: false };
    }
    case 'writes in one statement': {
      const [one, two] = partsOf(spec).map((each) => writeSql(schema, each, literal)) as [WriteSql, WriteSql];
      const text = [
        `WITH w AS (${one.text}) ${two.text}`,
        `WITH w AS (${one.text}), v AS (${two.text}) SELECT 1`,
        `WITH v AS (${two.text}) ${one.text}`,
        `WITH w AS (${one.text}), v AS (${two.text}) ${one.rows ? 'TABLE w' : two.rows ? 'SELECT count(*) FROM v' : 'SELECT 1'}`,
      ][variant % 4] as string;
      return { kind: 'texts', texts: [text], whole: false };
    }
    case 'write beside a delete':
      return besideDelete(schema, spec, second);
    case 'write explained':
      return {
        kind: 'statements',
        statements: [
          sqlOf(simple, (write) => {
            const { text } = writeSql(schema, second, write);
            return `EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off) ${text}`;
          }),
        ],
        opaque: true,
      };
    case 'write prepared in SQL':
      return {
        kind: 'texts',
        texts: [`PREPARE w AS ${writeSql(schema, second, literal).text}`, 'EXECUTE w', 'DEALLOCATE ALL'],
        whole: true,
      };
    case 'copy in':
      return { kind: 'steps', steps: [copyStep(schema, spec)] };
    default: {
      const each = spec.manner === 'pipeline' && variant % 4 === 0 ? [spec, second] : [spec];
      return {
        kind: 'statements',
        statements: each.map((one) => sqlOf(spec, (write) => writeSql(schema, one, write))),
      };
    }
  }
}

/** The other statement of a form with two. */
function secondOf(spec: WriteSpec): WriteSpec {
  const { variant } = spec;
  return {
    ...spec,
    form: SINGLE[(spec.help + variant) % SINGLE.length] ?? 'insert',
    relation: variant % 2 ? spec.relation : spec.help,
    rows: [...spec.rows].reverse().map((row) => ({ ...row, id: 16 - row.id > 9 ? row.id : 16 - row.id })),
  };
}

/** The two parts of `writes in one statement`. */
function partsOf(spec: WriteSpec): readonly [WriteSpec, WriteSpec] {
  return [{ ...spec, form: SINGLE[spec.help % SINGLE.length] ?? 'insert' }, secondOf(spec)];
}

/** What a statement of the spec writes, whatever its form. */
export function writtenRelations(schema: Schema, spec: WriteSpec): readonly Relation[] {
  const second = secondOf(spec);
  const specs = (() => {
    switch (spec.form) {
      case 'several writes':
      case 'writes in one statement':
        return [spec, second];
      case 'write, then delete':
      case 'delete, then write':
      case 'write in a with':
      case 'write beside a delete':
      case 'write explained':
      case 'write prepared in SQL':
        return [second];
      default:
        return spec.manner === 'pipeline' ? [spec, second] : [spec];
    }
  })();
  return specs.map((each) => writtenRelation(schema, each));
}

/** What each part of `writes in one statement` writes; nothing of other forms. */
export function writtenParts(schema: Schema, spec: WriteSpec): readonly Relation[] {
  return spec.form === 'writes in one statement'
    ? partsOf(spec).map((each) => writtenRelation(schema, each))
    : [];
}

/** The write of `write beside a delete`; undefined for other forms. */
export function besideDeleteWrite(spec: WriteSpec): WriteSpec | undefined {
  return spec.form === 'write beside a delete' ? secondOf(spec) : undefined;
}

/** A row is deleted that a written one may reference, or another one. */
function deletionFor(schema: Schema, spec: WriteSpec, other: WriteSpec): { text: string; id: string } {
  const { table } = writtenRelation(schema, other);
  const key = keyFor(schema, table, spec);
  const parent = key?.to ?? table.root;
  const { idColumn, idType, rows } = parent.table;
  const id = literal(idType, rows[spec.value % Math.max(rows.length, 1)]?.id ?? spec.value);
  const text = `DELETE FROM ${nameIn(schema, parent)} WHERE ${quoted(idColumn)} = ${id}::${sqlType(idType)}`;
  return { text, id: quoted(idColumn) };
}

/** Both in one statement. */
function besideDelete(schema: Schema, spec: WriteSpec, other: WriteSpec): Texts {
  const { text: deletion, id } = deletionFor(schema, spec, other);
  const write = writeSql(schema, other, literal);
  const text = [
    `WITH d AS (${deletion}) ${write.text}`,
    `WITH w AS (${write.text}) ${deletion} RETURNING ${id}`,
    `WITH w AS (${write.text}), d AS (${deletion} RETURNING ${id}) TABLE d`,
    `WITH d AS (${deletion}), w AS (${write.text}) ${write.rows ? 'TABLE w' : 'SELECT 1'}`,
  ][spec.variant % 4] as string;
  return { kind: 'texts', texts: [text], whole: false };
}

/** A row is written, and what it references is deleted; or the other way around. */
function withDelete(schema: Schema, spec: WriteSpec, other: WriteSpec): Texts {
  const { text: deletion } = deletionFor(schema, spec, other);
  const write = writeSql(schema, other, literal).text;
  const [one, two] = spec.form === 'write, then delete' ? [write, deletion] : [deletion, write];
  const texts = [
    ['BEGIN', one, two, 'COMMIT'],
    [`${one}; ${two}`],
    [one, two],
    ['BEGIN', one, 'SAVEPOINT s', two, 'ROLLBACK TO s', 'COMMIT'],
  ][spec.variant % 4] as string[];
  return { kind: 'texts', texts: [...texts, 'ROLLBACK'], whole: true };
}

function writeSql(schema: Schema, spec: WriteSpec, write: Parameters<typeof insertSql>[2]): WriteSql {
  switch (spec.form) {
    case 'insert':
      return insertSql(schema, spec, write, { rows: spec.rows.slice(0, 1) });
    case 'insert select':
    case 'insert from a table':
      return insertSelectSql(schema, spec, write);
    case 'default values':
      return insertDefaultsSql(schema, spec, write);
    case 'upsert':
      return upsertSql(schema, spec, write);
    case 'update':
    case 'update from':
      return updateSql(schema, spec, write);
    case 'merge writes':
      return mergeWriteSql(schema, spec, write);
    default:
      return insertSql(schema, spec, write);
  }
}
