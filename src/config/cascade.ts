/** The section of the configuration that says what cascades, and how. */
import { z } from 'zod';
import { MOST_BATCH_ROWS } from '../errors/batch-errors.js';
import { choice, laterKey, override, relation, schemaFile, section } from './fields.js';

export const cascade = section({
  // YAML 1.1 reads on and off as booleans.
  mode: z
    .preprocess(
      (value) => (value === true ? 'on' : value === false ? 'off' : value),
      choice(['on', 'off'], ['dry-run']),
    )
    .prefault('on')
    .describe('off passes everything as it is.'),
  strategy: choice(['auto', 'single', 'ordered'])
    .default('auto')
    .describe(
      'How a cascade is carried out. single: by one statement. ordered: by several in a transaction, which lock and find the rows, ask all rules and then delete from the leaves up (docs/strategies.md). auto is single on PostgreSQL, and ordered where a server cannot do the one (docs/databases.md).',
    ),
  declared: z
    .boolean()
    .default(true)
    .describe('Act on keys whose action is declared in the catalog and not performed by the server.'),
  overrides: z
    .array(override)
    .prefault([])
    .describe('Changes the action of keys that the catalog has. The first that matches decides.'),
  relations: z.array(relation).prefault([]).describe('Keys that the catalog does not have.'),
  unsupported: choice(['reject', 'pass'])
    .default('reject')
    .describe(
      'A statement that may delete and cannot be expanded: refused, or passed with a warning. What is refused for another reason is refused all the same (docs/errors.md).',
    ),
  code: choice(['pass', 'reject'])
    .default('pass')
    .describe('DO and CALL run code in the server, where no DELETE cascades: passed, or refused.'),
  triggers: choice(['warn', 'reject', 'pass'])
    .default('warn')
    .describe('Cascades that reach triggers which delete, where no DELETE cascades: a warning, or refused.'),
  guard: z
    .preprocess((value) => (value === false ? 'off' : value), choice(['off', 'lock', 'check']))
    .prefault('off')
    .describe(
      'New keys of tables that reference by keys which the proxy performs. lock: what they reference is locked; check: and what references nothing is refused, as by an enforced key.',
    ),
  copy: choice(['reject', 'verify'])
    .default('reject')
    .describe(
      'COPY FROM into a table with keys that guard: check looks at. verify: the keys of its rows are looked at when all are copied, in the same transaction; reject: it is refused.',
    ),
  locks: choice(['none', 'rows', 'tables'])
    .default('none')
    .describe(
      'For keys that the server does not enforce. rows: the rows that a DELETE takes are locked first, level by level from the top down, so that it sees the children of writers that lock their parent FOR KEY SHARE. tables: the tables of the children are locked first, so that it sees the children of all writers, and nobody writes there until it has ended. none: it does not wait for them before it looks.',
    ),
  files: z
    .array(schemaFile)
    .prefault([])
    .describe(
      'Schema files, as dumps are: their keys are relations too, where the catalog has none of the same columns.',
    ),
  atomic: z
    .boolean()
    .default(true)
    .describe(
      'A cascade happens as a whole. false: on a server without transactions it is carried out all the same, rules first and leaves first (docs/databases.md).',
    ),
  batch_rows: z
    .int()
    .min(1)
    .max(MOST_BATCH_ROWS)
    .nullable()
    .default(null)
    .describe(
      'Rows that one transaction of a cascade may take: a DELETE is then done in several, from the leaves up (docs/strategies.md). null: in one.',
    ),
  on_limit: choice(['fail', 'batch'])
    .default('fail')
    .describe(
      'What becomes of a cascade that the server ends with 54000, as it has reached a limit of a transaction. fail: the client gets the error. batch: it is done again in batches (docs/strategies.md), which are not atomic.',
    ),
  max_rows: laterKey().describe('Rows a statement may delete or change. Not yet supported.'),
});
