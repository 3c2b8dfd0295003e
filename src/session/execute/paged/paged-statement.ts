/** A statement that is carried out in batches, and the parts of the session that do it. */
import type { PagedProgram } from '../../../rewrite/statement/program.js';
import type { CascadeTreatment } from '../../../rewrite/statement/treatment.js';
import type { Rewrite } from '../../../rewrite/text.js';
import type { TranslatedError } from '../../answers/server-errors.js';
import type { Protocol } from '../../server/internal-query.js';
import type { Jit } from '../../server/jit.js';
import type { Stops } from '../../server/stops.js';
import type { OrderedStatement, SequenceParts } from '../ordered/ordered-statement.js';

export interface PagedStatement {
  readonly rewrite: Rewrite;
  readonly cascade: CascadeTreatment;
  readonly program: PagedProgram;
  /** The values of the portal, in the place of an Execute; undefined in that of a Query. */
  readonly values: Pick<OrderedStatement, 'types' | 'bind'> | undefined;
  /** The error by which it has reached a limit of the server's when it was tried in one transaction; undefined where it was not. */
  readonly reached?: TranslatedError;
}

export interface PagedParts extends SequenceParts {
  readonly jit: Jit;
  readonly stops: Stops;
  readonly harmlessness: {
    /** @returns whether the WHERE may be evaluated again for each page; `failed` where the client has got an error */
    judge(question: { readonly harmless: string }, protocol: Protocol): Promise<boolean | 'failed'>;
  };
}
