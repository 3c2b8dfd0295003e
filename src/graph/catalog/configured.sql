-- The relations of the configuration whose tables are both there, as rows like those of pg_constraint: their columns by
-- number, and for each pair of columns the operator that PostgreSQL would take for a foreign key (tablecmds.c,
-- ATAddForeignKeyConstraint), 0 where it would refuse the key. A column that is not there is left out.
WITH RECURSIVE relation (number, from_schema, from_name, from_columns, to_schema, to_name, to_columns) AS (
  VALUES $CONFIGURED$
), based (oid, type) AS (
  -- Values of a domain are compared as those of the type that it is made of (getBaseType).
  SELECT t.oid, t.oid FROM pg_catalog.pg_type AS t WHERE t.typtype OPERATOR(pg_catalog.<>) 'd'
  UNION ALL
  SELECT t.oid, b.type FROM based AS b JOIN pg_catalog.pg_type AS t
      ON t.typbasetype OPERATOR(pg_catalog.=) b.oid AND t.typtype OPERATOR(pg_catalog.=) 'd'
), coercion (source, target, binary_coercible, polymorphic, bare) AS (
  -- What can_coerce_type finds for a base type, for an implicit cast. A domain over an enum is none.
  SELECT c.castsource, c.casttarget, c.castmethod OPERATOR(pg_catalog.=) 'b', false, false
    FROM pg_catalog.pg_cast AS c WHERE c.castcontext OPERATOR(pg_catalog.=) 'i'
  UNION ALL
  SELECT t.oid, t.oid, true, false, false FROM pg_catalog.pg_type AS t
  UNION ALL
  SELECT t.oid, p.oid, true, true, t.typtype OPERATOR(pg_catalog.=) 'e' FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_type AS p
      ON p.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
     AND p.typname::pg_catalog.text OPERATOR(pg_catalog.=) CASE
           WHEN t.typtype OPERATOR(pg_catalog.=) 'e' THEN 'anyenum'
           WHEN t.typtype OPERATOR(pg_catalog.=) 'r' THEN 'anyrange'
           WHEN t.typtype OPERATOR(pg_catalog.=) 'm' THEN 'anymultirange'
           WHEN t.typtype OPERATOR(pg_catalog.=) 'c' THEN 'record'
           WHEN t.typelem OPERATOR(pg_catalog.<>) 0 AND t.typlen OPERATOR(pg_catalog.=) -1 THEN 'anyarray' END
), found AS (
  SELECT r.number, r.from_columns, r.to_columns, f.oid AS conrelid, t.oid AS confrelid
    FROM relation AS r
    JOIN pg_catalog.pg_namespace AS fn ON fn.nspname::pg_catalog.text OPERATOR(pg_catalog.=) r.from_schema
    JOIN pg_catalog.pg_class AS f ON f.relnamespace OPERATOR(pg_catalog.=) fn.oid AND f.relname::pg_catalog.text OPERATOR(pg_catalog.=) r.from_name
    JOIN pg_catalog.pg_namespace AS tn ON tn.nspname::pg_catalog.text OPERATOR(pg_catalog.=) r.to_schema
    JOIN pg_catalog.pg_class AS t ON t.relnamespace OPERATOR(pg_catalog.=) tn.oid AND t.relname::pg_catalog.text OPERATOR(pg_catalog.=) r.to_name
), pair AS (
  SELECT r.number, r.conrelid, r.confrelid, u.position, child.attnum AS child, parent.attnum AS parent,
         cb.type AS child_type, pb.type AS parent_type,
         child.atttypid OPERATOR(pg_catalog.=) cb.type AND parent.atttypid OPERATOR(pg_catalog.=) pb.type AS bare
    FROM found AS r
    CROSS JOIN ROWS FROM (pg_catalog.unnest(r.from_columns), pg_catalog.unnest(r.to_columns))
               WITH ORDINALITY AS u (child, parent, position)
    JOIN pg_catalog.pg_attribute AS child ON child.attrelid OPERATOR(pg_catalog.=) r.conrelid
     AND child.attname::pg_catalog.text OPERATOR(pg_catalog.=) u.child AND child.attnum OPERATOR(pg_catalog.>) 0
    JOIN pg_catalog.pg_attribute AS parent ON parent.attrelid OPERATOR(pg_catalog.=) r.confrelid
     AND parent.attname::pg_catalog.text OPERATOR(pg_catalog.=) u.parent AND parent.attnum OPERATOR(pg_catalog.>) 0
    JOIN based AS cb ON cb.oid OPERATOR(pg_catalog.=) child.atttypid
    JOIN based AS pb ON pb.oid OPERATOR(pg_catalog.=) parent.atttypid
), target AS (
  SELECT p.number, p.confrelid, pg_catalog.array_agg(p.parent ORDER BY p.parent) AS columns FROM pair AS p GROUP BY p.number, p.confrelid
), covering AS (
  -- The unique index that a key would rest on (transformFkeyCheckAttrs): exactly these columns, in any order, no matter
  -- which others it only includes; valid, immediate, whole, and of columns alone.
  SELECT t.number, pg_catalog.min(x.indexrelid) AS index
    FROM target AS t
    JOIN pg_catalog.pg_index AS x ON x.indrelid OPERATOR(pg_catalog.=) t.confrelid
     AND x.indisunique AND x.indisvalid AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL
    JOIN pg_catalog.pg_class AS i ON i.oid OPERATOR(pg_catalog.=) x.indexrelid
    JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) i.relam AND m.amname OPERATOR(pg_catalog.=) 'btree'
   WHERE t.columns OPERATOR(pg_catalog.=) ARRAY(
           SELECT x.indkey[n] FROM pg_catalog.generate_series(0, coalesce(
                    (pg_catalog.to_jsonb(x) OPERATOR(pg_catalog.->>) 'indnkeyatts')::pg_catalog.int4, x.indnatts) OPERATOR(pg_catalog.-) 1) AS n
            ORDER BY x.indkey[n])
   GROUP BY t.number
), class AS (
  -- The index's operator class for the column; where there is no such index the type's own for a btree, or for a hash
  -- (GetDefaultOpClass).
  SELECT p.*, coalesce(
      (SELECT x.indclass[n]
         FROM covering AS v JOIN pg_catalog.pg_index AS x ON x.indexrelid OPERATOR(pg_catalog.=) v.index
         CROSS JOIN pg_catalog.generate_series(0, x.indnatts OPERATOR(pg_catalog.-) 1) AS n
        WHERE v.number OPERATOR(pg_catalog.=) p.number AND x.indkey[n] OPERATOR(pg_catalog.=) p.parent
        ORDER BY n LIMIT 1),
      (SELECT c.oid
         FROM pg_catalog.pg_opclass AS c
         JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) c.opcmethod AND m.amname OPERATOR(pg_catalog.=) ANY (ARRAY['btree', 'hash']::pg_catalog.name[])
         JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) c.opcintype
         JOIN coercion AS b ON b.source OPERATOR(pg_catalog.=) p.parent_type AND b.target OPERATOR(pg_catalog.=) c.opcintype AND b.binary_coercible
        WHERE c.opcdefault
        ORDER BY m.amname, c.opcintype OPERATOR(pg_catalog.=) p.parent_type DESC, t.typispreferred DESC, c.oid LIMIT 1)) AS class
    FROM pair AS p
), equal AS (
  -- Equality is strategy 3 of a btree and 1 of a hash.
  SELECT a.amopfamily AS family, a.amoplefttype AS lefttype, a.amoprighttype AS righttype, a.amopopr
    FROM pg_catalog.pg_amop AS a JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) a.amopmethod
   WHERE a.amopstrategy OPERATOR(pg_catalog.=) CASE WHEN m.amname OPERATOR(pg_catalog.=) 'btree' THEN 3 WHEN m.amname OPERATOR(pg_catalog.=) 'hash' THEN 1 END
), chosen AS (
  SELECT c.number, c.position, c.conrelid, c.confrelid, c.child, c.parent, coalesce(
      (SELECT pf.amopopr FROM equal AS pf JOIN equal AS ff ON ff.family OPERATOR(pg_catalog.=) pf.family
        WHERE pf.family OPERATOR(pg_catalog.=) o.opcfamily AND pf.lefttype OPERATOR(pg_catalog.=) o.opcintype AND pf.righttype OPERATOR(pg_catalog.=) c.child_type
          AND ff.lefttype OPERATOR(pg_catalog.=) c.child_type AND ff.righttype OPERATOR(pg_catalog.=) c.child_type),
      -- Else both are cast to what the operator class compares. Two values of a polymorphic type are of one type.
      (SELECT pp.amopopr FROM equal AS pp
        WHERE pp.family OPERATOR(pg_catalog.=) o.opcfamily AND pp.lefttype OPERATOR(pg_catalog.=) o.opcintype AND pp.righttype OPERATOR(pg_catalog.=) o.opcintype
          AND EXISTS (SELECT FROM coercion AS k WHERE k.source OPERATOR(pg_catalog.=) c.parent_type AND k.target OPERATOR(pg_catalog.=) o.opcintype)
          AND EXISTS (SELECT FROM coercion AS k WHERE k.source OPERATOR(pg_catalog.=) c.child_type AND k.target OPERATOR(pg_catalog.=) o.opcintype
                         AND (c.bare OR NOT k.bare) AND (NOT k.polymorphic OR c.child_type OPERATOR(pg_catalog.=) c.parent_type))),
      0::pg_catalog.oid) AS operator
    FROM class AS c LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid OPERATOR(pg_catalog.=) c.class
)
SELECT e.number, e.conrelid, e.confrelid,
       pg_catalog.array_agg(e.child ORDER BY e.position) AS conkey,
       pg_catalog.array_agg(e.parent ORDER BY e.position) AS confkey,
       pg_catalog.array_agg(e.operator ORDER BY e.position) AS conpfeqop,
       EXISTS (SELECT FROM covering AS v WHERE v.number OPERATOR(pg_catalog.=) e.number) AS covered
  FROM chosen AS e
 GROUP BY e.number, e.conrelid, e.confrelid
