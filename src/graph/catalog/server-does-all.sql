-- Whether the server carries out all that this database declares: no key is NOT ENFORCED, and no trigger can delete. Before
-- PostgreSQL 18 pg_constraint has no column `conenforced`: then the name is that of the row around it.
NOT EXISTS (
  SELECT FROM pg_catalog.pg_trigger AS g
   WHERE g.tgconstraint OPERATOR(pg_catalog.=) 0 AND NOT g.tgisinternal AND (g.tgtype OPERATOR(pg_catalog.&) 56::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0)
AND NOT EXISTS (
  SELECT FROM (SELECT true AS conenforced) AS always
   WHERE EXISTS (SELECT FROM pg_catalog.pg_constraint AS c
                  WHERE c.contype OPERATOR(pg_catalog.=) 't' OR (c.contype OPERATOR(pg_catalog.=) 'f' AND NOT conenforced)))
