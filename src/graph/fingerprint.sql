-- One value that changes whenever the graph may have changed: every row of the catalogs that it is read from is counted
-- in by its place and by the transaction that wrote it (one transaction may write it twice). Costs one pass over the keys and the tables they touch.
SELECT pg_catalog.md5(pg_catalog.concat_ws(',',
  (SELECT pg_catalog.string_agg(pg_catalog.concat(c.oid, ':', c.xmin, c.ctid), ',' ORDER BY c.oid)
     FROM pg_catalog.pg_constraint AS c WHERE c.contype OPERATOR(pg_catalog.=) ANY (ARRAY['f', 'p'])),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(r.oid, ':', r.xmin, r.ctid), ',' ORDER BY r.oid)
     FROM pg_catalog.pg_class AS r WHERE r.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'f']) AND r.oid OPERATOR(pg_catalog.>=) 16384),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(a.attrelid, '.', a.attnum, ':', a.xmin, a.ctid), ',' ORDER BY a.attrelid, a.attnum)
     FROM pg_catalog.pg_attribute AS a
    WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND a.attrelid OPERATOR(pg_catalog.=) ANY (
            SELECT c.conrelid FROM pg_catalog.pg_constraint AS c WHERE c.contype OPERATOR(pg_catalog.=) 'f' UNION
            SELECT c.confrelid FROM pg_catalog.pg_constraint AS c WHERE c.contype OPERATOR(pg_catalog.=) 'f' UNION
            -- To give a view's column another name changes nothing else.
            SELECT r.oid FROM pg_catalog.pg_class AS r WHERE r.relkind OPERATOR(pg_catalog.=) 'v' AND r.oid OPERATOR(pg_catalog.>=) 16384 UNION
            SELECT r.oid FROM pg_catalog.pg_class AS r
              JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
              JOIN (VALUES $NAMED$) AS v (schema, name)
                ON v.schema OPERATOR(pg_catalog.=) n.nspname::pg_catalog.text
               AND v.name OPERATOR(pg_catalog.=) r.relname::pg_catalog.text)),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(i.inhrelid, '<', i.inhparent), ',' ORDER BY i.inhrelid, i.inhseqno)
     FROM pg_catalog.pg_inherits AS i),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(n.oid, ':', n.xmin, n.ctid), ',' ORDER BY n.oid)
     FROM pg_catalog.pg_namespace AS n WHERE n.oid OPERATOR(pg_catalog.>=) 16384),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(x.indexrelid, ':', x.xmin, x.ctid), ',' ORDER BY x.indexrelid)
     FROM pg_catalog.pg_index AS x WHERE x.indrelid OPERATOR(pg_catalog.>=) 16384),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(g.oid, ':', g.xmin, g.ctid), ',' ORDER BY g.oid)
     FROM pg_catalog.pg_trigger AS g WHERE NOT g.tgisinternal),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(w.oid, ':', w.xmin, w.ctid), ',' ORDER BY w.oid)
     FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class OPERATOR(pg_catalog.>=) 16384)
))
