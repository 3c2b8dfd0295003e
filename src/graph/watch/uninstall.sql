-- What `pgcascade uninstall` runs, in one transaction: removes what install.sql made, and nothing else.
SET LOCAL search_path = pg_catalog;
SELECT pg_advisory_xact_lock(hashtext('pgcascade install'));

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_event_trigger
              WHERE evtname = 'pgcascade_change' AND evtfoid = to_regprocedure('pgcascade.notify_change()')) THEN
    DROP EVENT TRIGGER pgcascade_change;
  END IF;
  IF to_regprocedure('pgcascade.notify_change()') IS NOT NULL THEN
    DROP FUNCTION pgcascade.notify_change();
  END IF;
  IF obj_description(to_regnamespace('pgcascade'), 'pg_namespace') = 'made by pgcascade install' THEN
    BEGIN
      DROP SCHEMA pgcascade;
    EXCEPTION WHEN dependent_objects_still_exist THEN
      RAISE WARNING 'schema pgcascade is kept: there are other objects in it';
    END;
  END IF;
END $$;

NOTIFY pgcascade;
