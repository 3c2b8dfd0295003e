-- Names one database of one running server: two connections that are told the same are in the same place, whatever
-- hosts and ports they went through. (The oid alone is the same in a copy; the start is another one.)
pg_catalog.concat(
  pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.pg_postmaster_start_time()), 'YYYYMMDDHH24MISSUS'), '/',
  (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))
