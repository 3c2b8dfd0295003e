-- One value that changes whenever the graph may have changed: every row of the catalogs that it is read from is counted
-- in by its place and by the transaction that wrote it (one transaction may write it twice). Costs one pass over the keys and the tables they touch.
SELECT pg_catalog.md5(pg_catalog.concat_ws(',',
  (SELECT pg_catalog.string_agg(pg_catalog.concat(c.oid, ':', c.xmin, c.ctid), ',' ORDER BY c.oid)
     FROM pg_catalog.pg_constraint AS c WHERE c.contype IN ('f', 'p')),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(r.oid, ':', r.xmin, r.ctid), ',' ORDER BY r.oid)
     FROM pg_catalog.pg_class AS r WHERE r.relkind IN ('r', 'p', 'v', 'f') AND r.oid >= 16384),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(a.attrelid, '.', a.attnum, ':', a.xmin, a.ctid), ',' ORDER BY a.attrelid, a.attnum)
     FROM pg_catalog.pg_attribute AS a
    WHERE a.attnum > 0 AND a.attrelid IN (SELECT c.conrelid FROM pg_catalog.pg_constraint AS c WHERE c.contype = 'f'
                                          UNION SELECT c.confrelid FROM pg_catalog.pg_constraint AS c WHERE c.contype = 'f')),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(i.inhrelid, '<', i.inhparent), ',' ORDER BY i.inhrelid, i.inhseqno)
     FROM pg_catalog.pg_inherits AS i),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(n.oid, ':', n.xmin, n.ctid), ',' ORDER BY n.oid)
     FROM pg_catalog.pg_namespace AS n WHERE n.oid >= 16384),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(x.indexrelid, ':', x.xmin, x.ctid), ',' ORDER BY x.indexrelid)
     FROM pg_catalog.pg_index AS x WHERE x.indrelid >= 16384),
  (SELECT pg_catalog.string_agg(pg_catalog.concat(w.oid, ':', w.xmin, w.ctid), ',' ORDER BY w.oid)
     FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class >= 16384)
))
