/** What is done with a cascade that the server ends as it reaches a limit of a transaction: nothing, or it is done again in batches. */
export const LIMIT_MODES = ['fail', 'batch'] as const;
export type LimitMode = (typeof LIMIT_MODES)[number];
