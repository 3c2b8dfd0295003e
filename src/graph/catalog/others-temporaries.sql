-- The object ids of the temporary relations of other sessions. These depend on their schema, and pg_depend has an index for that.
SELECT d.objid AS oid FROM pg_catalog.pg_namespace AS n
  JOIN pg_catalog.pg_depend AS d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid OPERATOR(pg_catalog.=) n.oid
   AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
 WHERE n.nspname::pg_catalog.text OPERATOR(pg_catalog.~) '^pg_temp_' AND n.oid OPERATOR(pg_catalog.<>) pg_catalog.pg_my_temp_schema()
