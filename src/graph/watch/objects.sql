-- What install.sql makes, as far as it is there; the event trigger only where it is in effect (install.ts).
SELECT 'schema pgcascade' FROM pg_namespace WHERE nspname = 'pgcascade'
UNION ALL
SELECT 'function pgcascade.notify_change()' WHERE to_regprocedure('pgcascade.notify_change()') IS NOT NULL
UNION ALL
SELECT 'event trigger pgcascade_change' FROM pg_event_trigger
 WHERE evtname = 'pgcascade_change' AND evtfoid = to_regprocedure('pgcascade.notify_change()') AND evtenabled = 'A'
   AND obj_description(oid, 'pg_event_trigger') = concat('in effect for pgcascade, row ', xmin)
