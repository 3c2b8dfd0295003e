-- One value that changes whenever the graph may have changed, and with nothing else: it counts the rows of the catalogs that
-- catalog.sql reads, as far as they belong to tables that keys touch, what these inherit from or hand down to, and views over
-- them. Of these relations their names count, and not their rows in pg_class, which TRUNCATE and VACUUM FULL write; of
-- indexes those that are unique or find a key's rows. Temporary relations of other sessions are theirs alone.
--
-- A row is counted by its object id and by the transaction that wrote it: sum(xmin * hash of the id). age(xmin) is the
-- cheapest way to read a transaction's id as a number: it is that of now, minus xmin. Rows of initdb have none that counts.
-- The server's start is in it: a copy of a database may write another row by the same transaction id.
WITH elsewhere AS (
  $OTHERS_TEMPORARIES$
), named AS (
  SELECT r.oid FROM pg_catalog.pg_class AS r
    JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
    JOIN (VALUES $NAMED$) AS v (schema, name) ON v.schema OPERATOR(pg_catalog.=) n.nspname::pg_catalog.text AND v.name OPERATOR(pg_catalog.=) r.relname::pg_catalog.text
   WHERE r.oid OPERATOR(pg_catalog.>=) 16384
), rooted AS (
  SELECT c.oid, c.xmin AS writer, c.contype, c.conrelid, c.confrelid, c.conkey FROM pg_catalog.pg_constraint AS c
   WHERE c.contype OPERATOR(pg_catalog.=) ANY (ARRAY['f', 't']::pg_catalog."char"[])
), key AS (
  SELECT c.* FROM rooted AS c WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND NOT c.conrelid OPERATOR(pg_catalog.=) ANY (SELECT e.oid FROM elsewhere AS e)
), trigger AS (
  -- Those of constraints, four for each foreign key, are left to the index: but for CREATE CONSTRAINT TRIGGER.
  SELECT g.oid, g.xmin AS writer, g.tgrelid, g.tgtype FROM pg_catalog.pg_trigger AS g
   WHERE g.tgconstraint OPERATOR(pg_catalog.=) ANY (SELECT 0::pg_catalog.oid UNION ALL SELECT c.oid FROM rooted AS c WHERE c.contype OPERATOR(pg_catalog.=) 't')
     AND NOT g.tgisinternal AND (g.tgtype OPERATOR(pg_catalog.&) 120::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0 AND NOT g.tgrelid OPERATOR(pg_catalog.=) ANY (SELECT e.oid FROM elsewhere AS e)
), touched AS (
  SELECT k.conrelid AS oid FROM key AS k UNION SELECT k.confrelid FROM key AS k UNION SELECT n.oid FROM named AS n
  UNION SELECT g.tgrelid FROM trigger AS g WHERE (g.tgtype OPERATOR(pg_catalog.&) 40::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0
), child AS (
  SELECT i.inhrelid, i.inhparent, i.xmin AS writer FROM pg_catalog.pg_inherits AS i
   WHERE NOT i.inhrelid OPERATOR(pg_catalog.=) ANY (SELECT e.oid FROM elsewhere AS e)
), member AS (
  WITH RECURSIVE below (oid) AS (
    SELECT i.inhrelid FROM child AS i WHERE i.inhparent OPERATOR(pg_catalog.=) ANY (SELECT t.oid FROM touched AS t)
    UNION SELECT i.inhrelid FROM below AS b JOIN child AS i ON i.inhparent OPERATOR(pg_catalog.=) b.oid
  ), above (oid) AS (
    SELECT i.inhparent FROM child AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) ANY (SELECT t.oid FROM touched AS t)
    UNION SELECT i.inhparent FROM above AS a JOIN child AS i ON i.inhrelid OPERATOR(pg_catalog.=) a.oid
  )
  SELECT t.oid FROM touched AS t UNION ALL (SELECT b.oid FROM below AS b UNION SELECT a.oid FROM above AS a)
), rule AS (
  SELECT w.oid, w.ev_class, w.xmin AS writer FROM pg_catalog.pg_rewrite AS w
   WHERE w.oid OPERATOR(pg_catalog.>=) 16384 AND NOT w.ev_class OPERATOR(pg_catalog.=) ANY (SELECT e.oid FROM elsewhere AS e)
), reads AS (
  SELECT w.ev_class AS view, d.refobjid AS oid
    FROM rule AS w JOIN pg_catalog.pg_depend AS d ON d.objid OPERATOR(pg_catalog.=) w.oid AND d.refobjid OPERATOR(pg_catalog.<>) w.ev_class
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.>=) 16384
), view AS (
  -- Most views read tables. `(x = ANY (y)) IS TRUE` is a look into a hash table; without the IS TRUE it would be a join, of
  -- which the planner knows nothing.
  WITH RECURSIVE direct AS (
    SELECT r.view AS oid FROM reads AS r WHERE (r.oid OPERATOR(pg_catalog.=) ANY (SELECT m.oid FROM member AS m)) IS TRUE
  ), over (oid) AS (
    SELECT r.view FROM reads AS r WHERE (r.oid OPERATOR(pg_catalog.=) ANY (SELECT d.oid FROM direct AS d)) IS TRUE
    UNION SELECT r.view FROM over AS o JOIN reads AS r ON r.oid OPERATOR(pg_catalog.=) o.oid
  )
  SELECT d.oid FROM direct AS d UNION SELECT o.oid FROM over AS o
), shown AS (
  SELECT m.oid FROM member AS m UNION SELECT v.oid FROM view AS v
), relation AS (
  SELECT r.oid, r.relname::pg_catalog.text AS name, r.relnamespace FROM pg_catalog.pg_class AS r WHERE (r.oid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
), written (sort, rows, aged, hashed) AS (
  SELECT 'key', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(k.writer)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(k.oid)), pg_catalog.sum(pg_catalog.hashoid(k.oid)) FROM key AS k
  UNION ALL
  -- Whoever changes a default writes the column's row too. The catalog is large, and most of its rows are system columns and
  -- columns of indexes: an array is looked up in its index, which a subquery would not be.
  SELECT 'column', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(a.xmin)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(a.attrelid)), pg_catalog.sum(pg_catalog.hashoid(a.attrelid)) FROM pg_catalog.pg_attribute AS a
   WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND a.attrelid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT s.oid FROM shown AS s))
  UNION ALL
  -- Unique ones, and those that find the rows of a key.
  SELECT 'index', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(x.xmin)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(x.indexrelid)), pg_catalog.sum(pg_catalog.hashoid(x.indexrelid)) FROM pg_catalog.pg_index AS x
   WHERE (x.indrelid OPERATOR(pg_catalog.=) ANY (SELECT m.oid FROM member AS m)) IS TRUE
     AND (x.indisunique OR ((x.indrelid, x.indkey[0]) OPERATOR(pg_catalog.=) ANY (SELECT k.conrelid, pg_catalog.unnest(k.conkey) FROM key AS k)) IS TRUE)
  UNION ALL
  SELECT 'child', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(i.writer)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(i.inhrelid)), pg_catalog.sum(pg_catalog.hashoid(i.inhrelid)) FROM child AS i
   WHERE (i.inhrelid OPERATOR(pg_catalog.=) ANY (SELECT m.oid FROM member AS m)) IS TRUE
  UNION ALL
  SELECT 'trigger', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(g.writer)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(g.oid)), pg_catalog.sum(pg_catalog.hashoid(g.oid)) FROM trigger AS g
  UNION ALL
  -- Whether a trigger deletes is read in its function, and in those that it calls.
  SELECT 'function', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(p.xmin)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(p.oid)), pg_catalog.sum(pg_catalog.hashoid(p.oid)) FROM pg_catalog.pg_proc AS p
   WHERE p.oid OPERATOR(pg_catalog.>=) 16384 AND EXISTS (SELECT FROM trigger AS g)
  UNION ALL
  SELECT 'rule', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(w.writer)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(w.oid)), pg_catalog.sum(pg_catalog.hashoid(w.oid)) FROM rule AS w
   WHERE (w.ev_class OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
  UNION ALL
  SELECT 'operator', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(o.xmin)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(o.oid)), pg_catalog.sum(pg_catalog.hashoid(o.oid)) FROM pg_catalog.pg_operator AS o
   WHERE o.oid OPERATOR(pg_catalog.>=) 16384
  UNION ALL
  -- What decides by which operator a configured relation compares.
  SELECT 'class', pg_catalog.count(*), pg_catalog.sum(pg_catalog.age(o.xmin)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(o.oid)), pg_catalog.sum(pg_catalog.hashoid(o.oid)) FROM (
      SELECT o.oid, o.xmin FROM pg_catalog.pg_amop AS o UNION ALL SELECT o.oid, o.xmin FROM pg_catalog.pg_opclass AS o
      UNION ALL SELECT o.oid, o.xmin FROM pg_catalog.pg_cast AS o) AS o
   WHERE o.oid OPERATOR(pg_catalog.>=) 16384 AND EXISTS (SELECT FROM named AS n)
), part (sort, rows, sum) AS (
  SELECT w.sort, w.rows, (w.aged OPERATOR(pg_catalog.-) (pg_catalog.age('3'::pg_catalog.xid)::pg_catalog.numeric OPERATOR(pg_catalog.*) w.hashed::pg_catalog.numeric))::pg_catalog.text FROM written AS w
  UNION ALL
  SELECT 'relation', pg_catalog.count(*), pg_catalog.concat_ws(':', pg_catalog.sum(pg_catalog.hashtext(r.name)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(r.oid)),
         pg_catalog.sum(pg_catalog.hashtext(r.name OPERATOR(pg_catalog.||) '.')::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(r.oid)), pg_catalog.sum(pg_catalog.hashoid(r.relnamespace)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(r.oid)))
    FROM relation AS r
  UNION ALL
  SELECT 'schema', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtext(n.nspname::pg_catalog.text)::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.hashoid(n.oid))::pg_catalog.text FROM pg_catalog.pg_namespace AS n
   WHERE n.oid OPERATOR(pg_catalog.=) ANY (SELECT r.relnamespace FROM relation AS r)
)
SELECT pg_catalog.concat_ws('/', pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()),
  (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()),
  pg_catalog.string_agg(pg_catalog.concat_ws(':', p.sort, p.rows, p.sum), '/' ORDER BY p.sort)) FROM part AS p
