/** What bounds a cascade by several statements, ordered or plain. */

/** How many bytes of keys the proxy holds of one statement, with the client's rows where it returns some. */
export const MOST_BYTES = 64 * 1024 * 1024;

/**
 * How often the rows are searched and deleted once more because other transactions have committed some meanwhile. Those that are
 * committed after the last search stay.
 */
export const MOST_SWEEPS = 3;
