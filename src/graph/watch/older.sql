-- The transactions that are open in this database: those of other sessions, and prepared ones.
SELECT pg_catalog.concat('process ', a.pid, ', transaction ', l.virtualxid)
  FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'virtualxid' AND l.granted AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
   AND a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   AND a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   AND a.backend_type OPERATOR(pg_catalog.<>) 'autovacuum worker'
UNION ALL
SELECT pg_catalog.concat('prepared transaction ', pg_catalog.quote_literal(p.gid), ' ', p.transaction)
  FROM pg_catalog.pg_prepared_xacts AS p
 WHERE p.database OPERATOR(pg_catalog.=) pg_catalog.current_database()
