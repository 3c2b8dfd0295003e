/** Where a CTE stands in a statement. */
import type { Node } from './parser.js';
import { closing, indexAt, nextOf, type Token } from './source.js';

export interface Span {
  readonly name: Token;
  /** The parenthesis before its statement. */
  readonly body: Token;
  /** The last token of the statement. */
  readonly last: Token;
  readonly close: Token;
  /** The index after the closing parenthesis, and after SEARCH and CYCLE. */
  readonly next: number;
}

/** Where a CTE stands: `name [(columns)] AS [[NOT] MATERIALIZED] (statement)`. */
export function spanOf(cte: Node, tokens: readonly Token[]): Span | undefined {
  const at = indexAt(tokens, Number(cte.location ?? 0));
  const header = tokens[at + 1]?.text === '(' ? closing(tokens, at + 1) + 1 : at + 1;
  const open = nextOf(tokens, header, '(');
  const end = closing(tokens, open);
  const [name, body, last, close] = [tokens[at], tokens[open], tokens[end - 1], tokens[end]];
  const next = afterClauses(cte, tokens, end + 1);
  return name && body && last && close ? { name, body, last, close, next } : undefined;
}

/** After `SEARCH BREADTH FIRST BY a, b SET c` and `CYCLE a, b SET c [TO x DEFAULT y] USING d`. */
function afterClauses(cte: Node, tokens: readonly Token[], at: number): number {
  const afterList = (first: number): number => {
    let last = first;
    while (tokens[last + 1]?.text === ',') last += 2;
    return last + 1;
  };
  const searched = cte.search_clause === undefined ? at : afterList(at + 4) + 2;
  if (cte.cycle_clause === undefined) return searched;
  const marked = afterList(searched + 1) + 2;
  return nextOf(tokens, marked, 'using') + 2;
}
