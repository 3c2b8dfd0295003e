-- Whether every change of the schema is told to this connection, in one row:
-- * the event trigger and its function, as rows of the catalog: null where it is not in effect (install.ts), another
--   text where it was away for a while;
-- * whether this connection listens: behind a pooler it may be another one than that which said LISTEN;
-- * whether the queue of notifications has room, as install.sql wants it.
SELECT
  (SELECT pg_catalog.concat_ws(',', t.oid, t.xmin, p.oid, p.xmin)
     FROM pg_catalog.pg_event_trigger AS t
     JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) t.evtfoid
     JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
     JOIN pg_catalog.pg_description AS d ON d.objoid OPERATOR(pg_catalog.=) t.oid
      AND d.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_event_trigger'::pg_catalog.regclass
    WHERE t.evtname OPERATOR(pg_catalog.=) 'pgcascade_change'
      AND t.evtevent OPERATOR(pg_catalog.=) 'ddl_command_end'
      AND t.evtenabled OPERATOR(pg_catalog.=) 'A'
      AND t.evttags IS NULL
      AND n.nspname OPERATOR(pg_catalog.=) 'pgcascade'
      AND p.proname OPERATOR(pg_catalog.=) 'notify_change'
      AND d.description OPERATOR(pg_catalog.=) pg_catalog.concat('in effect for pgcascade, row ', t.xmin)
      AND coalesce(pg_catalog.current_setting('event_triggers', true), 'on') OPERATOR(pg_catalog.=) 'on'),
  EXISTS (SELECT FROM pg_catalog.pg_listening_channels() AS c WHERE c OPERATOR(pg_catalog.=) 'pgcascade'),
  pg_catalog.pg_notification_queue_usage() OPERATOR(pg_catalog.<) 0.5
