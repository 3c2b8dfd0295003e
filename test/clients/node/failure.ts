/** What a client's error tells an application. */

// Not where in its source the server or the client failed, and not the context: the proxy cascades by other queries.
const told = [
  ...['name', 'message', 'code', 'severity', 'detail', 'hint', 'position', 'meta'],
  ...['schema', 'table', 'column', 'constraint'],
  ...['schema_name', 'table_name', 'column_name', 'constraint_name'],
  ...['fields', 'value', 'index'],
];
const causes = ['cause', 'driverError', 'parent', 'original'];

export interface Failure {
  /** The class of the error. */
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Waits for a promise to be rejected, and describes its error. @throws where it is fulfilled */
export async function failureOf(promise: PromiseLike<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    return describeError(error);
  }
  throw new Error('this should have failed');
}

/** The fields of a client's error that applications act on. */
export function describeError(error: unknown): Failure {
  if (!(error instanceof Error)) return { type: typeof error, error };
  const fields = Object.entries({ ...error, name: error.name, message: error.message, cause: error.cause });
  return {
    type: error.constructor.name,
    ...Object.fromEntries(fields.filter(([name, value]) => told.includes(name) && value !== undefined)),
    ...Object.fromEntries(
      fields
        .filter(([name, value]) => causes.includes(name) && value !== undefined)
        .map(([name, value]) => [name, describeError(value)]),
    ),
  };
}
