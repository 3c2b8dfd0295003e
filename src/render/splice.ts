/** Changes to a client's text at given places. */

/** A run of the client's text in the text that is sent; all in characters. */
export interface Copied {
  readonly client: number;
  readonly sent: number;
  readonly length: number;
}

export interface Spliced {
  readonly sql: string;
  readonly copied: readonly Copied[];
}

/** `sql` in the place of the text from `start` up to `end`; those at one place stand in the order of the list. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly sql: string;
}

export function insertion(at: number, sql: string): Edit {
  return { start: at, end: at, sql };
}

/** @param edits must not overlap */
export function splice(text: string, edits: readonly Edit[]): Spliced {
  const copied: Copied[] = [];
  let sql = '';
  let read = 0;
  const copy = (to: number) => {
    if (to > read) copied.push({ client: read, sent: sql.length, length: to - read });
    sql += text.slice(read, to);
  };
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    copy(edit.start);
    sql += edit.sql;
    read = edit.end;
  }
  copy(text.length);
  return { sql, copied };
}
