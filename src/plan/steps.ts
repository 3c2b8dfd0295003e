/**
 * Work that grows with the client's text or with what it reaches, in steps: behind each of them, which takes some
 * milliseconds at the most, others may come first. Whoever runs it decides (session/slices.ts).
 */
export type Steps<T> = Generator<undefined, T>;
