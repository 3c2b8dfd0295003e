-- What the configuration names is wanted too, whether or not a key touches it, in another case too (it may be meant);
-- and what a view among it reads.
WITH RECURSIVE named (oid) AS (
  SELECT r.oid FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
   WHERE EXISTS (SELECT FROM (VALUES $NAMED$) AS v (schema, name)
                  WHERE pg_catalog.lower(v.schema) OPERATOR(pg_catalog.=) pg_catalog.lower(n.nspname::pg_catalog.text) AND pg_catalog.lower(v.name) OPERATOR(pg_catalog.=) pg_catalog.lower(r.relname::pg_catalog.text))
  UNION
  SELECT d.refobjid
    FROM named AS n
    JOIN pg_catalog.pg_class AS v ON v.oid OPERATOR(pg_catalog.=) n.oid AND v.relkind OPERATOR(pg_catalog.=) 'v'
    JOIN pg_catalog.pg_rewrite AS w ON w.ev_class OPERATOR(pg_catalog.=) v.oid
    JOIN pg_catalog.pg_depend AS d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) w.oid
     AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
)
SELECT oid FROM named
