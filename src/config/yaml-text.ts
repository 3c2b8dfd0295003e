import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';

/** YAML as data, with the way back to its lines. */
export interface YamlText {
  /** What the text says; null where it is empty, or where it is not YAML. */
  readonly value: unknown;
  /** What is wrong with the text itself. */
  readonly problems: readonly { readonly line: number; readonly text: string }[];
  /** The line of the deepest key of `path` that the text has; undefined where it has none of it. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Reads YAML 1.2 with its core schema, in which `on` and `off` are text. Never throws. */
export function parseYaml(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    text: error.code === 'MULTIPLE_DOCS' ? 'a second document begins: one is read' : error.message,
  }));
  const lineOf = (path: readonly PropertyKey[]) => {
    const offset = offsetOf(document, path);
    return offset === undefined ? undefined : lines.linePos(offset).line;
  };
  if (problems.length > 0) return { value: null, problems, lineOf };
  try {
    return { value: document.toJS(), problems, lineOf };
  } catch (error) {
    // An alias that is not set, or aliases that multiply without end.
    return { value: null, problems: [{ line: 1, text: (error as Error).message }], lineOf };
  }
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of path) {
    const holder = isAlias(node) ? node.resolve(document) : node;
    if (isMap(holder)) {
      const pair = holder.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (!pair || !isScalar(pair.key)) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(holder) && typeof step === 'number') {
      node = holder.items[step];
      offset = (node as { range?: readonly number[] } | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
