/** What names mean on a server that is not asked for that: the tables of a graph that have these names. */
import { ProxyError } from '../../../errors.js';
import { relationNamed } from '../../../graph/by-names.js';
import type { Family } from '../../../profiles/families/family.js';
import { hasLetters } from '../../../sql/encoding/raw-bytes.js';
import { quoteRelation, type RelationName } from '../../../sql/names.js';
import { OFF_CONTEXT, type ResolvedContext } from '../resolved-context.js';
import type { NamesGraph } from './told-keys.js';

/** What of a session the meaning of a name depends on. */
interface Naming {
  /** A temporary relation of this session may have the name of a table. */
  readonly mayHideTables: boolean;
  /** As ResolvedContext has it: what the configuration says. */
  readonly batchRows: number;
  /** As ServerState.encoding. */
  readonly encoding: string;
}

/**
 * The context of a statement with these names.
 * @throws ProxyError PGC_RELATION for a name of which it is not clear what it means; PGC_ENCODING for one that cannot be compared
 */
export function resolveByName(
  { known: { graph, id } }: NamesGraph,
  names: readonly RelationName[],
  { plain: { ignoresCase } }: Family,
  { batchRows, mayHideTables, encoding }: Naming,
): ResolvedContext {
  const isBeyond = ({ schema = '', name }: RelationName) => hasLetters(schema) || hasLetters(name);
  const areCompared = encoding === 'UTF8' || !names.some(isBeyond);
  if (!areCompared && [...graph.relations].some((each) => isBeyond(each) && graph.acts(each)))
    throw new ProxyError('PGC_ENCODING', { what: 'a name beyond ASCII', encoding });
  for (const name of names) {
    const found = relationNamed(graph, name, ignoresCase);
    const isActed = typeof found === 'object' && graph.acts(found);
    const isHidden = mayHideTables && name.schema === undefined && isActed;
    if (found === 'unclear' || isHidden)
      throw new ProxyError('PGC_RELATION', { table: quoteRelation(name), what: isHidden ? HIDDEN : UNCLEAR });
  }
  const meaning = (name: RelationName) => {
    const found = relationNamed(graph, name, ignoresCase);
    return typeof found === 'object' ? found.oid : null;
  };
  return { ...OFF_CONTEXT, graph, graphId: id, isByNames: true, batchRows, guard: undefined, meaning };
}

const HIDDEN =
  'a name that a temporary table of this session may have, as long as its schema does not stand before it';
const UNCLEAR = 'not clear which table it is, by its schema or by the case of its letters';
