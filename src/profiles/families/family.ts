/** What is known of a family of databases: the shape of the data in the files beside this one. */

/** By what a server of the family is known. What it reports at the login comes first, its answer to a question last. */
export interface Signs {
  /** A parameter that it alone reports at the login (ParameterStatus): its value is what the server calls itself. */
  readonly parameter?: string;
  /** What it calls itself in server_version or version(). */
  readonly words?: RegExp;
  /** What it reports as server_version, and others may report, too: whoever does is asked, in a transaction as well. */
  readonly version?: string;
  /** Its host name, as the configuration has it. */
  readonly host?: RegExp;
  /** A setting that it alone has. Nothing at the login tells of it: it is asked for with the catalog. */
  readonly setting?: string;
}

/** `writes`: one statement may change several tables. `reads`: WITH holds queries alone. */
export type WithForm = 'writes' | 'reads' | 'none';

export interface DeleteForms {
  readonly using: boolean;
  readonly returning: boolean;
  readonly with: WithForm;
  readonly recursive: boolean;
}

/** Forms of a DELETE that a family takes and PostgreSQL's grammar does not have, and how its texts are cut into tokens. */
export interface OwnGrammar {
  readonly dialect: 'h2' | 'redshift' | 'sqlite';
  /** `DELETE t WHERE …`; `… LIMIT 3`; `… FETCH FIRST 3 ROWS ONLY`. */
  readonly forms: readonly ('no FROM' | 'LIMIT' | 'FETCH')[];
}

/** What a family's scanner may take otherwise than PostgreSQL's. */
export const OWN_TOKENS = [
  /** It begins a comment of a line. */
  '//',
  /** The first end of a comment ends those around it too. */
  'flat comments',
  /** A carriage return ends no comment of a line. */
  'comments to newlines',
  /** A backslash stands for itself in E'…'. */
  'plain E',
  /** A backslash takes the quote after it with it, in any literal. */
  'backslashes',
  /** $tag$ begins no literal, or not everywhere. */
  'no dollars',
  /** $a(…), @a(…), :a(…) and #a(…) are parameters, whatever is in the parentheses. */
  'variables',
  '`names`',
  '[names]',
  /** Spaces that are not ASCII are spaces. */
  'wide spaces',
] as const;

export type OwnToken = (typeof OWN_TOKENS)[number];

export interface Transactions {
  readonly kind: 'full' | 'without savepoints' | 'none';
  /** Any error ends the open transaction: what was changed in it is gone, whatever the client sends next. */
  readonly endWithErrors: boolean;
  /** The status byte of ReadyForQuery says whether a transaction is open, and whether it has failed. */
  readonly statusTells: boolean;
  /** A row stays in the transaction in which what references it by an enforced key was deleted, or set to reference nothing. */
  readonly keepsReferenced?: boolean;
}

/** Of one transaction, or of one statement. */
export interface Limits {
  readonly rows?: number;
  readonly bytes?: number;
  readonly statementBytes?: number;
}

/** How keys get into the statements of a sequence: as parameters that are arrays, or as literals, so many a statement. */
export interface KeyTransport {
  readonly form: 'arrays' | 'literals';
  /** Keys of one column; and of several. */
  readonly chunk: number;
  readonly rowChunk: number;
}

/** What statements look like that any of these databases understands, with their keys as literals (src/render/plain). */
export interface PlainSql {
  /** An expression for the schema in which a name without one is looked up first. */
  readonly schema: string;
  /** Names are compared without case, quoted ones too. */
  readonly ignoresCase: boolean;
  /** How keys of several columns are compared with many: `(a, b) IN ((1, 2))`, `(a, b) IN (VALUES (1, 2))`, or `a = 1 AND b = 2 OR …`. */
  readonly rows: 'list' | 'values' | 'conditions';
  /** A backslash in a string literal stands for itself, or is doubled in an E'…'; or no key may have one. */
  readonly backslashes: 'plain' | 'escaped' | 'refused';
  /** `UPDATE … SET column = DEFAULT` */
  readonly setsDefault: boolean;
  /** What makes the rows of a table visible to the statements after it: `REFRESH TABLE {table}`. */
  readonly refresh?: string;
}

export interface Family {
  readonly name: string;
  /** As people call them; the first stands for the family. */
  readonly servers: readonly string[];
  readonly signs: Signs;
  /** What becomes of the foreign keys that a schema declares; `inert` is stored and not enforced. */
  readonly keys: 'enforced' | 'enforced without actions' | 'inert' | 'absent';
  /** Where its keys can be read: pg_constraint of PostgreSQL 10 or later (graph/catalog), the others as graph/told has it. */
  readonly graph: 'pg_constraint' | 'information_schema' | 'duckdb_constraints()' | 'configuration';
  /**
   * How a cascade is sent: as one statement; in a sequence, of plain statements where its graph is not read; or it is refused for
   * good.
   */
  readonly strategy: 'single' | 'ordered' | 'none';
  /** Why a cascade by one statement is refused there: the end of a sentence of PGC_SERVER. */
  readonly reason?: string;
  readonly deletes: DeleteForms;
  /** Undefined where its DELETE is one of PostgreSQL's. */
  readonly grammar?: OwnGrammar;
  /** Undefined where its texts are cut into tokens as PostgreSQL's are. */
  readonly tokens?: readonly OwnToken[];
  readonly transactions: Transactions;
  readonly limits: Limits;
  /** The clause that locks rows in a SELECT. */
  readonly lock: 'FOR UPDATE' | 'none' | 'not known';
  /** LOCK TABLE in a DO block, in the mode SHARE ROW EXCLUSIVE, is certain to keep writers away. */
  readonly locksTables: boolean;
  /** Rows of one table may have the same `ctid`, by which those without a primary key, and those of cycles, are told apart. */
  readonly placesRepeat?: boolean;
  readonly transport: KeyTransport;
  readonly plain: PlainSql;
  /** The errors after which the same transaction may succeed: SQLSTATEs, or the server's own numbers. */
  readonly retried: readonly string[];
  /** What whoever uses it has to know, for the document. */
  readonly differs: string;
  /** How what stands here was shown to be so. */
  readonly shown:
    | 'the server itself'
    | 'the engine behind a front'
    | 'a gate before PostgreSQL'
    | 'documentation alone';
}

/** Rows of a batch that a transaction of the family's servers takes: as many as are wanted, or as it may change at most. */
export function batchOf(wanted: number, { limits }: Pick<Family, 'limits'>): number {
  return Math.min(wanted, limits.rows ?? wanted);
}

/** As people call the family's servers. */
export function serverOf({ name, servers: [first] }: Pick<Family, 'name' | 'servers'>): string {
  return first ?? name;
}
