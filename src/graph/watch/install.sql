-- What `pgcascade install` runs first, in one transaction. Running it again changes nothing but a function of an older
-- version, or a trigger that was disabled.
--
-- One event is enough: ddl_command_end comes after every command that changes the schema, those that drop included.
SET LOCAL search_path = pg_catalog;
-- Two that install at once take turns.
SELECT pg_advisory_xact_lock(hashtext('pgcascade install'));

DO $$
BEGIN
  IF to_regnamespace('pgcascade') IS NULL THEN
    CREATE SCHEMA pgcascade;
    COMMENT ON SCHEMA pgcascade IS 'made by pgcascade install';
  END IF;
END $$;

-- A command must never fail by what it tells:
-- * NOTIFY fails at COMMIT where the queue is full. From half full on nothing is told, and every proxy that listens goes
--   back to graph.refresh (watch.sql).
-- * It has the rights of who installed it, whatever those of the command's role are.
-- * Whatever else fails here is a warning.
-- * What cannot be helped: a transaction that has notified cannot be prepared (PREPARE TRANSACTION).
-- All commands are told but one: a statement of the client's own that makes a temporary table and does nothing else. To other
-- sessions that table is not there, and the proxy of its own session has read the statement. What a function makes is told,
-- as it may hide a table from its session, and so is what a string of several statements makes.
-- There is no payload, so that a transaction notifies once, however much it changes.
CREATE OR REPLACE FUNCTION pgcascade.notify_change() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF TG_TAG = 'CREATE TABLE'
     AND current_query() ~* '^[[:space:]]*create[[:space:]]+((global|local)[[:space:]]+)?temp(orary)?[[:space:]]+table[[:space:]][^;]*;?[[:space:]]*$'
     AND NOT EXISTS (SELECT FROM pg_event_trigger_ddl_commands() AS c WHERE c.schema_name IS DISTINCT FROM 'pg_temp') THEN
    RETURN;
  END IF;
  IF pg_notification_queue_usage() < 0.5 THEN
    NOTIFY pgcascade;
  ELSE
    RAISE WARNING 'pgcascade was not told of this change: the queue of notifications is more than half full';
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'pgcascade was not told of this change: %', SQLERRM;
END $$;
-- Where somebody else made it first: its owner could change what it does.
ALTER FUNCTION pgcascade.notify_change() OWNER TO CURRENT_USER;

DO $$
DECLARE
  found pg_event_trigger;
BEGIN
  SELECT * INTO found FROM pg_event_trigger WHERE evtname = 'pgcascade_change';
  IF found IS NULL THEN
    CREATE EVENT TRIGGER pgcascade_change ON ddl_command_end EXECUTE FUNCTION pgcascade.notify_change();
  ELSIF found.evtevent <> 'ddl_command_end' OR found.evttags IS NOT NULL
        OR found.evtfoid <> 'pgcascade.notify_change()'::regprocedure THEN
    RAISE EXCEPTION 'there is another event trigger "pgcascade_change"' USING HINT = 'Drop or rename it.';
  END IF;
  -- Under session_replication_role = replica too: a change that is replicated is a change.
  IF found.evtenabled IS DISTINCT FROM 'A' THEN
    ALTER EVENT TRIGGER pgcascade_change ENABLE ALWAYS;
  END IF;
END $$;
