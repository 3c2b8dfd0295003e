-- Whether the graph may have temporary relations of this session: tables with keys, that inherit, or with triggers, and views.
EXISTS (
  SELECT FROM pg_catalog.pg_depend AS d
   WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
     AND d.refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
     AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND (EXISTS (SELECT FROM pg_catalog.pg_constraint AS c
                   WHERE c.conrelid OPERATOR(pg_catalog.=) d.objid AND c.contype OPERATOR(pg_catalog.=) 'f')
       OR EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) d.objid)
       OR EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class OPERATOR(pg_catalog.=) d.objid)
       OR EXISTS (SELECT FROM pg_catalog.pg_trigger AS g
                   WHERE g.tgrelid OPERATOR(pg_catalog.=) d.objid AND NOT g.tgisinternal)))
