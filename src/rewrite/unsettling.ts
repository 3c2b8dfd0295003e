/** Statements after which later ones of the same text may mean something else, or be cascaded again: SET, DDL, COMMIT. */
import { ProxyError } from '../errors.js';
import { quoteRelation, type RelationName } from '../sql/names.js';
import { executedBy, type Statement, targetsOf } from '../sql/statement/statement.js';

/**
 * The end of a transaction matters to later statements only where the transaction has set or changed something.
 * @param touched the open transaction has changed settings or the schema
 */
export function unsettlesNow({ unsettles }: Statement, touched: boolean): boolean {
  return unsettles === 'always' || (unsettles === 'at its end' && touched);
}

/** Whether a statement that may delete comes after one that unsettles. */
export function isAfterUnsettling(statements: readonly Statement[], touched: boolean): boolean {
  const first = statements.findIndex((statement) => unsettlesNow(statement, touched));
  return first >= 0 && statements.slice(first + 1).some(namesRelations);
}

/** Whether what a statement deletes depends on what names mean. */
export function namesRelations(statement: Statement): boolean {
  return targetsOf(statement).length > 0 || executedBy(statement).length > 0;
}

/** What is said of a statement that deletes from these relations, and cannot be expanded after one that unsettles. */
export function afterUnsettling(names: readonly RelationName[]): ProxyError {
  return new ProxyError('PGC_AFTER_DDL', { table: names.map(quoteRelation).join(', ') });
}
