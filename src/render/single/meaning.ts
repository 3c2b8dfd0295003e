/** Makes sure that a name in the client's text still means the relation for which the proxy has planned. */
import type { Relation } from '../../graph/model.js';
import { quoteLiteral, quoteRelation, type RelationName } from '../../sql/names.js';
import { FAIL_RELATION_CHANGED } from '../violations.js';
import { named, type Root } from './root.js';

/**
 * A condition that fails where a target's name no longer means the table for which the proxy has planned. The server resolves this name whenever
 * it analyses the statement, together with the name in the client's text. A DELETE that is passed on has no such condition: its
 * names session/catalog/meanings.ts has resolved again (decisions 6 and 54 in docs/decisions.md).
 *
 *     CASE WHEN 'users'::regclass::oid = 16385::oid THEN true ELSE concat('pgcascade/…/relationChanged')::int4 = 0 END
 */
export function meaningHolds({ site, target }: Root): string {
  return stillMeans(site.target, named(target));
}

/** The same condition, for any name in a client's statement and the relation that it meant. */
export function stillMeans(target: RelationName, { oid }: Relation): string {
  const name = quoteLiteral(quoteRelation(target));
  const same = `${name}::pg_catalog.regclass::pg_catalog.oid OPERATOR(pg_catalog.=) ${oid}::pg_catalog.oid`;
  return `CASE WHEN ${same} THEN true ELSE ${FAIL_RELATION_CHANGED} OPERATOR(pg_catalog.=) 0 END`;
}
