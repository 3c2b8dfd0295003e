-- One value that changes whenever the graph may have changed: every row of the catalogs that catalog.sql reads is counted
-- in by its place and by the transaction that wrote it (one transaction may write it twice), in no order. Only what can
-- change the graph counts: of tables that no key touches their names alone, as views may read them; nothing of temporary
-- ones, and of indexes, columns and defaults those of tables that keys touch or that inherit.
-- The server's start is in it: a copy of a database may write another row by the same transaction id to the same place.
WITH named AS (
  SELECT r.oid FROM pg_catalog.pg_class AS r
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
    JOIN (VALUES $NAMED$) AS v (schema, name)
      ON v.schema OPERATOR(pg_catalog.=) n.nspname::pg_catalog.text
     AND v.name OPERATOR(pg_catalog.=) r.relname::pg_catalog.text
), related AS (
  SELECT c.conrelid AS oid FROM pg_catalog.pg_constraint AS c WHERE c.contype OPERATOR(pg_catalog.=) 'f' UNION
  SELECT c.confrelid FROM pg_catalog.pg_constraint AS c WHERE c.contype OPERATOR(pg_catalog.=) 'f' UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i UNION
  SELECT i.inhparent FROM pg_catalog.pg_inherits AS i UNION
  SELECT n.oid FROM named AS n
), shown AS (
  SELECT r.oid FROM related AS r UNION ALL
  SELECT w.ev_class FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class OPERATOR(pg_catalog.>=) 16384
), item (sort, id, part, writer, place) AS (
  SELECT 'key', c.oid, 0, c.xmin, c.ctid FROM pg_catalog.pg_constraint AS c
   WHERE c.contype OPERATOR(pg_catalog.=) 'f' UNION ALL
  SELECT 'relation', r.oid, 0, r.xmin, r.ctid FROM pg_catalog.pg_class AS r
   WHERE r.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f']) AND r.oid OPERATOR(pg_catalog.>=) 16384
     AND (r.relpersistence OPERATOR(pg_catalog.<>) 't' OR r.oid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) UNION ALL
  SELECT 'column', a.attrelid, a.attnum, a.xmin, a.ctid FROM pg_catalog.pg_attribute AS a
   WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND a.attrelid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s) UNION ALL
  SELECT 'default', d.oid, 0, d.xmin, d.ctid FROM pg_catalog.pg_attrdef AS d
   WHERE d.adrelid OPERATOR(pg_catalog.=) ANY (SELECT r.oid FROM related AS r) UNION ALL
  SELECT 'index', x.indexrelid, 0, x.xmin, x.ctid FROM pg_catalog.pg_index AS x
   WHERE x.indrelid OPERATOR(pg_catalog.=) ANY (SELECT r.oid FROM related AS r) UNION ALL
  SELECT 'child', i.inhrelid, i.inhseqno, i.xmin, i.ctid FROM pg_catalog.pg_inherits AS i UNION ALL
  SELECT 'schema', n.oid, 0, n.xmin, n.ctid FROM pg_catalog.pg_namespace AS n
   WHERE n.oid OPERATOR(pg_catalog.>=) 16384 AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.!~) '^pg_(toast_)?temp_' UNION ALL
  SELECT 'trigger', g.oid, 0, g.xmin, g.ctid FROM pg_catalog.pg_trigger AS g WHERE NOT g.tgisinternal UNION ALL
  -- Whether a trigger deletes is read in its function, and in those that it calls.
  SELECT 'function', p.oid, 0, p.xmin, p.ctid FROM pg_catalog.pg_proc AS p
   WHERE p.oid OPERATOR(pg_catalog.>=) 16384 AND EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE NOT g.tgisinternal) UNION ALL
  -- What decides by which operator a configured relation compares.
  SELECT 'operator', o.oid, 0, o.xmin, o.ctid FROM pg_catalog.pg_amop AS o WHERE o.oid OPERATOR(pg_catalog.>=) 16384 UNION ALL
  SELECT 'class', o.oid, 0, o.xmin, o.ctid FROM pg_catalog.pg_opclass AS o WHERE o.oid OPERATOR(pg_catalog.>=) 16384 UNION ALL
  SELECT 'cast', o.oid, 0, o.xmin, o.ctid FROM pg_catalog.pg_cast AS o WHERE o.oid OPERATOR(pg_catalog.>=) 16384 UNION ALL
  SELECT 'rule', w.oid, 0, w.xmin, w.ctid FROM pg_catalog.pg_rewrite AS w
   WHERE w.ev_class OPERATOR(pg_catalog.>=) 16384
)
SELECT pg_catalog.concat_ws('/', pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()),
  (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()),
  pg_catalog.count(*),
  pg_catalog.sum(pg_catalog.concat('x', pg_catalog.substr(pg_catalog.md5(pg_catalog.concat(
    i.sort, i.id, '.', i.part, ':', i.writer, i.place)), 1, 16))::pg_catalog."bit"(64)::pg_catalog.int8))
FROM item AS i
