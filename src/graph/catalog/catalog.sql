-- The foreign keys of a database and what is known of the tables they touch: JSON arrays of items of one kind, a few hundred
-- each, in base64, with a dot between them (answer.ts puts them together). Each item is about one relation or one
-- key, and nothing is looked up once for each of them: what a planner cannot know is how many there are.
-- Every operator has its schema: a session's search_path may put others before them, and what is read here serves all
-- sessions. Works from PostgreSQL 10 on: columns that came later (conenforced, confdelsetcols, conperiod) are read through
-- to_jsonb. Partitions' copies of a key are left out: the key belongs to the relation it is declared on. The relations of
-- the configuration are read as keys too (configured.sql), and the tables that these name (named.sql). Temporary relations
-- of other sessions are theirs alone.
WITH elsewhere AS (
  $OTHERS_TEMPORARIES$
), declared AS (
  SELECT c.oid, c.conname, c.conrelid, c.confrelid, c.conkey, c.confkey, c.conpfeqop, c.confdeltype AS action, c.confupdtype AS update_action, c.confmatchtype, c.condeferred,
         coalesce((c.j OPERATOR(pg_catalog.->>) 'conparentid')::pg_catalog.oid, 0) AS parent,
         coalesce((c.j OPERATOR(pg_catalog.->>) 'conenforced')::pg_catalog.bool, true) AS enforced,
         coalesce((c.j OPERATOR(pg_catalog.->>) 'conperiod')::pg_catalog.bool, false) AS period,
         CASE WHEN pg_catalog.jsonb_typeof(c.j OPERATOR(pg_catalog.->) 'confdelsetcols') OPERATOR(pg_catalog.=) 'array' THEN c.j OPERATOR(pg_catalog.->) 'confdelsetcols' END AS set_columns
    FROM (SELECT c.*, pg_catalog.to_jsonb(c) AS j FROM pg_catalog.pg_constraint AS c
           WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND NOT c.conrelid OPERATOR(pg_catalog.=) ANY (SELECT e.oid FROM elsewhere AS e) OFFSET 0) AS c
), key AS (
  SELECT d.* FROM declared AS d WHERE d.parent OPERATOR(pg_catalog.=) 0
), configured AS (
  $CONFIGURED_KEYS$
), named (oid) AS (
  $NAMED_RELATIONS$
), deleting AS (
  $DELETING_TRIGGERS$
), touched AS (
  SELECT d.conrelid AS oid FROM key AS d UNION SELECT d.confrelid FROM key AS d UNION SELECT n.oid FROM named AS n
  UNION SELECT g.tgrelid FROM deleting AS g WHERE (g.tgtype OPERATOR(pg_catalog.&) 40::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0
), member AS (
  -- Everything related to a touched table by partitioning or inheritance, upwards and downwards: what a DELETE may name
  -- instead of it.
  WITH RECURSIVE below (oid) AS (
    SELECT t.oid FROM touched AS t UNION
    SELECT i.inhrelid FROM below JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) below.oid
  ), above (oid) AS (
    SELECT t.oid FROM touched AS t UNION
    SELECT i.inhparent FROM above JOIN pg_catalog.pg_inherits AS i ON i.inhrelid OPERATOR(pg_catalog.=) above.oid
  )
  (SELECT oid FROM below UNION SELECT oid FROM above) EXCEPT SELECT oid FROM elsewhere
), reads AS (
  SELECT DISTINCT w.ev_class AS view, d.refobjid AS oid
    FROM pg_catalog.pg_rewrite AS w
    JOIN pg_catalog.pg_class AS v ON v.oid OPERATOR(pg_catalog.=) w.ev_class AND v.relkind OPERATOR(pg_catalog.=) 'v'
    JOIN pg_catalog.pg_depend AS d ON d.objid OPERATOR(pg_catalog.=) w.oid AND d.refobjid OPERATOR(pg_catalog.<>) w.ev_class
   WHERE w.oid OPERATOR(pg_catalog.>=) 16384 AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
     AND d.objid OPERATOR(pg_catalog.>=) 16384 AND NOT w.ev_class OPERATOR(pg_catalog.=) ANY (SELECT e.oid FROM elsewhere AS e)
), view AS (
  -- Views over any of them, at any depth. `(x = ANY (y)) IS TRUE` is a look into a hash table.
  WITH RECURSIVE direct AS (
    SELECT r.view, r.oid AS base FROM reads AS r WHERE (r.oid OPERATOR(pg_catalog.=) ANY (SELECT m.oid FROM member AS m)) IS TRUE
  ), over (view, base) AS (
    SELECT r.view, d.base FROM reads AS r JOIN direct AS d ON d.view OPERATOR(pg_catalog.=) r.oid
    UNION SELECT r.view, o.base FROM over AS o JOIN reads AS r ON r.oid OPERATOR(pg_catalog.=) o.view
  )
  SELECT view, base FROM direct UNION SELECT view, base FROM over
), shown AS (
  SELECT m.oid FROM member AS m UNION SELECT v.view FROM view AS v
), compared AS (
  -- How the columns of each key are compared.
  SELECT k.configured, k.id, pg_catalog.json_agg(pg_catalog.json_build_object(
    'referencing', child.attname,
    'referenced', parent.attname,
    'type', pg_catalog.concat(pg_catalog.quote_ident(ptn.nspname), '.', pg_catalog.quote_ident(pt.typname)),
    'ownType', pg_catalog.concat(pg_catalog.quote_ident(ctn.nspname), '.', pg_catalog.quote_ident(ct.typname)),
    'operator', CASE WHEN op.oid IS NOT NULL THEN pg_catalog.concat(pg_catalog.quote_ident(opn.nspname), '.', op.oprname) END,
    'commutator', CASE WHEN com.oid IS NOT NULL THEN pg_catalog.concat(pg_catalog.quote_ident(comn.nspname), '.', com.oprname) END,
    -- By the type's own name, as in ri_add_cast_to: `character` would be cut to one character, bpchar is not.
    'left', CASE WHEN lt.typtype OPERATOR(pg_catalog.=) 'b' AND op.oprleft OPERATOR(pg_catalog.<>) parent.atttypid THEN pg_catalog.concat(pg_catalog.quote_ident(ltn.nspname), '.', pg_catalog.quote_ident(lt.typname)) END,
    'right', CASE WHEN rt.typtype OPERATOR(pg_catalog.=) 'b' AND op.oprright OPERATOR(pg_catalog.<>) child.atttypid THEN pg_catalog.concat(pg_catalog.quote_ident(rtn.nspname), '.', pg_catalog.quote_ident(rt.typname)) END,
    -- Two collations make a comparison ambiguous. Equality is the same under all deterministic ones, so the
    -- child's is taken, for its index; a nondeterministic one decides, as in ri_GenerateQualCollation.
    'collation', CASE WHEN child.attcollation OPERATOR(pg_catalog.<>) parent.attcollation THEN (
      SELECT pg_catalog.concat(pg_catalog.quote_ident(cn.nspname), '.', pg_catalog.quote_ident(co.collname))
        FROM pg_catalog.pg_collation AS co JOIN pg_catalog.pg_namespace AS cn ON cn.oid OPERATOR(pg_catalog.=) co.collnamespace
       WHERE co.oid OPERATOR(pg_catalog.=) ANY (ARRAY[child.attcollation, parent.attcollation])
       ORDER BY coalesce((pg_catalog.to_jsonb(co) OPERATOR(pg_catalog.->>) 'collisdeterministic')::pg_catalog.bool, true), co.oid OPERATOR(pg_catalog.=) child.attcollation DESC
       LIMIT 1) END
  ) ORDER BY u.position) AS columns
  FROM (SELECT false AS configured, k.oid::pg_catalog.int8 AS id, k.conrelid, k.confrelid, k.conkey, k.confkey, k.conpfeqop FROM key AS k
        UNION ALL SELECT true, c.number, c.conrelid, c.confrelid, c.conkey, c.confkey, c.conpfeqop FROM configured AS c) AS k
  CROSS JOIN ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conpfeqop)) WITH ORDINALITY AS u (child, parent, operator, position)
  JOIN pg_catalog.pg_attribute AS child ON child.attrelid OPERATOR(pg_catalog.=) k.conrelid AND child.attnum OPERATOR(pg_catalog.=) u.child
  JOIN pg_catalog.pg_attribute AS parent ON parent.attrelid OPERATOR(pg_catalog.=) k.confrelid AND parent.attnum OPERATOR(pg_catalog.=) u.parent
  JOIN pg_catalog.pg_type AS pt ON pt.oid OPERATOR(pg_catalog.=) parent.atttypid
  JOIN pg_catalog.pg_namespace AS ptn ON ptn.oid OPERATOR(pg_catalog.=) pt.typnamespace
  JOIN pg_catalog.pg_type AS ct ON ct.oid OPERATOR(pg_catalog.=) child.atttypid
  JOIN pg_catalog.pg_namespace AS ctn ON ctn.oid OPERATOR(pg_catalog.=) ct.typnamespace
  LEFT JOIN pg_catalog.pg_operator AS op ON op.oid OPERATOR(pg_catalog.=) u.operator
  LEFT JOIN pg_catalog.pg_namespace AS opn ON opn.oid OPERATOR(pg_catalog.=) op.oprnamespace
  LEFT JOIN pg_catalog.pg_type AS lt ON lt.oid OPERATOR(pg_catalog.=) op.oprleft
  LEFT JOIN pg_catalog.pg_namespace AS ltn ON ltn.oid OPERATOR(pg_catalog.=) lt.typnamespace
  LEFT JOIN pg_catalog.pg_type AS rt ON rt.oid OPERATOR(pg_catalog.=) op.oprright
  LEFT JOIN pg_catalog.pg_namespace AS rtn ON rtn.oid OPERATOR(pg_catalog.=) rt.typnamespace
  LEFT JOIN pg_catalog.pg_operator AS com ON com.oid OPERATOR(pg_catalog.=) op.oprcom
  LEFT JOIN pg_catalog.pg_namespace AS comn ON comn.oid OPERATOR(pg_catalog.=) com.oprnamespace
   GROUP BY k.configured, k.id
), settable AS (
  -- The columns that a key can set.
  SELECT k.conrelid AS oid, u.number FROM key AS k CROSS JOIN pg_catalog.unnest(k.conkey) AS u (number)
), item (kind, value) AS (
  SELECT 'relation', pg_catalog.json_build_array(r.oid::pg_catalog.int8, n.nspname, r.relname, r.relkind, r.relispartition,
    -- pg_get_viewdef finds its own operators by the session's search_path (ruleutils.c): for a moment that has none but
    -- the server's. A local setting of the value that was there leaves everything as it was.
    CASE WHEN r.relkind OPERATOR(pg_catalog.=) 'v' THEN (
      SELECT pg_catalog.concat(pg_catalog.left(pg_catalog.set_config('search_path', 'pg_catalog', true), 0), pg_catalog.pg_get_viewdef(r.oid),
                    pg_catalog.left(pg_catalog.set_config('search_path', o.path, true), 0))
        FROM (SELECT pg_catalog.current_setting('search_path') AS path OFFSET 0) AS o) END)
    FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
   WHERE (r.oid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
  UNION ALL
  SELECT 'rewriteRules', pg_catalog.to_json(w.ev_class::pg_catalog.int8) FROM pg_catalog.pg_rewrite AS w
   WHERE w.ev_type OPERATOR(pg_catalog.=) '4' AND (w.ev_class OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
  UNION ALL
  -- A trigger on its rows may keep them: BEFORE, or INSTEAD OF on a view.
  SELECT 'mayKeepRows', pg_catalog.to_json(g.tgrelid::pg_catalog.int8) FROM pg_catalog.pg_trigger AS g
   WHERE ((g.tgtype OPERATOR(pg_catalog.&) 11::pg_catalog.int2) OPERATOR(pg_catalog.=) 11 OR (g.tgtype OPERATOR(pg_catalog.&) 73::pg_catalog.int2) OPERATOR(pg_catalog.=) 73) AND NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D'
     AND (g.tgrelid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
  UNION ALL
  -- What is inserted and changed goes by rules, or on a view by INSTEAD OF triggers: the server writes other rows.
  SELECT 'redirectsWrites', pg_catalog.to_json(w.oid::pg_catalog.int8) FROM (
    SELECT w.ev_class AS oid FROM pg_catalog.pg_rewrite AS w WHERE w.ev_type OPERATOR(pg_catalog.=) ANY (ARRAY['2', '3']::pg_catalog."char"[])
    UNION SELECT g.tgrelid FROM pg_catalog.pg_trigger AS g
     WHERE (g.tgtype OPERATOR(pg_catalog.&) 64::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0 AND (g.tgtype OPERATOR(pg_catalog.&) 20::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0 AND NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D') AS w
   WHERE (w.oid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
  UNION ALL
  SELECT 'triggers', pg_catalog.json_build_array(g.tgrelid::pg_catalog.int8, pg_catalog.json_agg(pg_catalog.json_build_object(
    'name', g.tgname,
    'function', g.function,
    'row', (g.tgtype OPERATOR(pg_catalog.&) 1::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
    'deletes', (g.tgtype OPERATOR(pg_catalog.&) 8::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
    'updates', (g.tgtype OPERATOR(pg_catalog.&) 16::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
    'truncates', (g.tgtype OPERATOR(pg_catalog.&) 32::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
    'columns', (SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) g.tgrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (g.tgattr))
    ) ORDER BY g.tgname)) FROM deleting AS g
   WHERE (g.tgrelid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
   GROUP BY g.tgrelid
  UNION ALL
  SELECT 'parents', pg_catalog.json_build_array(i.inhrelid::pg_catalog.int8, pg_catalog.json_agg(i.inhparent::pg_catalog.int8)) FROM pg_catalog.pg_inherits AS i
   WHERE (i.inhrelid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
   GROUP BY i.inhrelid
  UNION ALL
  SELECT 'viewOf', pg_catalog.json_build_array(v.view::pg_catalog.int8, pg_catalog.json_agg(v.base::pg_catalog.int8)) FROM view AS v GROUP BY v.view
  UNION ALL
  SELECT 'reads', pg_catalog.json_build_array(r.view::pg_catalog.int8, pg_catalog.json_agg(pg_catalog.json_build_object('oid', b.oid::pg_catalog.int8, 'schema', n.nspname, 'name', b.relname)))
    FROM reads AS r JOIN pg_catalog.pg_class AS b ON b.oid OPERATOR(pg_catalog.=) r.oid JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) b.relnamespace
   WHERE (r.view OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
   GROUP BY r.view
  UNION ALL
  -- Of each column its name, and two characters: whether it is NOT NULL (1) and whether its values can be elements of an
  -- array (2), added; and whether it is generated (g), or its default is none (n), a constant (c) or another (-).
  SELECT 'columns', pg_catalog.json_build_array(a.attrelid::pg_catalog.int8, pg_catalog.json_agg(a.attname ORDER BY a.attnum),
    pg_catalog.string_agg(pg_catalog.concat(CASE WHEN a.attnotnull THEN 1 ELSE 0 END OPERATOR(pg_catalog.+) CASE WHEN a.scalar THEN 2 ELSE 0 END,
                      CASE WHEN a.generated THEN 'g' WHEN NOT a.plain THEN '-' WHEN NOT a.atthasdef THEN 'n' WHEN a.constant IS NULL THEN '-' ELSE 'c' END),
               '' ORDER BY a.attnum),
    pg_catalog.json_agg(a.constant ORDER BY a.attnum) FILTER (WHERE a.constant IS NOT NULL))
    FROM (
      SELECT a.attrelid, a.attnum, a.attname, a.attnotnull, a.atthasdef,
        t.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['b', 'e']::pg_catalog."char"[]) AND t.typelem OPERATOR(pg_catalog.=) 0 AS scalar,
        -- Whether it is without a default of another kind: of a domain, or an identity.
        t.typtype OPERATOR(pg_catalog.<>) 'd' AND t.typdefault IS NULL AND a.attidentity OPERATOR(pg_catalog.=) '' AS plain,
        a.atthasdef AND coalesce(pg_catalog.to_jsonb(a) OPERATOR(pg_catalog.->>) 'attgenerated', '') OPERATOR(pg_catalog.<>) '' AS generated,
        -- Of types whose constants read the same under all settings, without the cast that pg_get_expr adds, which would
        -- be looked up; no function that somebody made for a cast.
        CASE WHEN a.atthasdef AND t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
              AND t.typname OPERATOR(pg_catalog.=) ANY (ARRAY['int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'bpchar', 'uuid', 'bool']::pg_catalog.name[])
              AND t.typdefault IS NULL AND a.attidentity OPERATOR(pg_catalog.=) '' AND coalesce(pg_catalog.to_jsonb(a) OPERATOR(pg_catalog.->>) 'attgenerated', '') OPERATOR(pg_catalog.=) ''
              AND ((a.attrelid OPERATOR(pg_catalog.=) ANY (SELECT n.oid FROM named AS n)) IS TRUE
                   OR ((a.attrelid, a.attnum) OPERATOR(pg_catalog.=) ANY (SELECT s.oid, s.number FROM settable AS s)) IS TRUE)
        THEN (
          -- A backslash is written as the session's standard_conforming_strings says, and E'' reads the same in all.
          SELECT pg_catalog.concat('(', CASE
                   WHEN pg_catalog.strpos(c.found[1], pg_catalog.chr(92)) OPERATOR(pg_catalog.=) 0 THEN c.found[1]
                   WHEN pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.=) 'off' THEN pg_catalog.concat('E', c.found[1])
                   ELSE pg_catalog.concat('E', pg_catalog.replace(c.found[1], pg_catalog.chr(92), pg_catalog.repeat(pg_catalog.chr(92), 2)))
                 END, ')::pg_catalog.', t.typname, pg_catalog.substring(pg_catalog.format_type(a.atttypid, a.atttypmod), '[(].*[)]'))
            FROM pg_catalog.pg_attrdef AS d
            CROSS JOIN LATERAL pg_catalog.regexp_match(pg_catalog.pg_get_expr(d.adbin, d.adrelid),
              '^(E?''(?:[^'']|'''')*''|-?[0-9]+(?:[.][0-9]+)?|true|false|NULL)(?:::[a-z ]+)?$') AS c (found)
           WHERE d.adrelid OPERATOR(pg_catalog.=) a.attrelid AND d.adnum OPERATOR(pg_catalog.=) a.attnum AND c.found IS NOT NULL
             AND NOT EXISTS (SELECT FROM pg_catalog.regexp_matches(d.adbin::pg_catalog.text, ':funcid ([0-9]+)', 'g') AS f (id)
                              WHERE f.id[1]::pg_catalog.int8 OPERATOR(pg_catalog.>=) 16384)
        ) END AS constant
        FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
       WHERE a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped AND (a.attrelid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
      OFFSET 0) AS a
   GROUP BY a.attrelid
  UNION ALL
  -- Only where all its types are built in: others have operators that may not be found.
  SELECT 'primaryKey', pg_catalog.json_build_array(c.conrelid::pg_catalog.int8, pg_catalog.json_agg(a.attname ORDER BY u.position))
    FROM pg_catalog.pg_constraint AS c
    CROSS JOIN pg_catalog.unnest(c.conkey) WITH ORDINALITY AS u (number, position)
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.conrelid AND a.attnum OPERATOR(pg_catalog.=) u.number
    JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
   WHERE c.contype OPERATOR(pg_catalog.=) 'p' AND (c.conrelid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
   GROUP BY c.conrelid
  HAVING pg_catalog.bool_and(t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace)
  UNION ALL
  -- The first columns of every index that can find a row by them alone.
  SELECT 'indexed', pg_catalog.json_build_array(x.indrelid::pg_catalog.int8, pg_catalog.json_agg(DISTINCT a.attname))
    FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) x.indrelid AND a.attnum OPERATOR(pg_catalog.=) x.indkey[0]
   WHERE x.indisvalid AND x.indpred IS NULL AND (x.indrelid OPERATOR(pg_catalog.=) ANY (SELECT s.oid FROM shown AS s)) IS TRUE
   GROUP BY x.indrelid
  UNION ALL
  SELECT 'key', pg_catalog.json_build_object(
    'id', k.oid::pg_catalog.int8,
    'name', k.conname,
    'referencing', k.conrelid::pg_catalog.int8,
    'referenced', k.confrelid::pg_catalog.int8,
    'action', k.action,
    'updateAction', k.update_action,
    'enforced', k.enforced,
    'deferred', k.condeferred,
    'matchFull', k.confmatchtype OPERATOR(pg_catalog.=) 'f',
    'period', k.period,
    'setColumns', CASE WHEN k.set_columns IS NOT NULL THEN (
      SELECT pg_catalog.json_agg(a.attname ORDER BY s.position)
        FROM pg_catalog.jsonb_array_elements_text(k.set_columns) WITH ORDINALITY AS s (number, position)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) s.number::pg_catalog.int2) END)
    FROM key AS k
  UNION ALL
  SELECT 'keyColumns', pg_catalog.json_build_array(c.id, c.columns) FROM compared AS c WHERE NOT c.configured
  UNION ALL
  -- What the copies of a key for the partitions of the referenced table are called: errors name these.
  SELECT 'copies', pg_catalog.json_build_array(c.key::pg_catalog.int8, pg_catalog.json_agg(pg_catalog.json_build_object('referenced', c.confrelid::pg_catalog.int8, 'name', c.conname)))
    FROM (
      WITH RECURSIVE copy (key, oid, conrelid, confrelid, conname) AS (
        SELECT k.oid, d.oid, d.conrelid, d.confrelid, d.conname FROM key AS k JOIN declared AS d ON d.parent OPERATOR(pg_catalog.=) k.oid AND d.conrelid OPERATOR(pg_catalog.=) k.conrelid
        UNION ALL
        SELECT c.key, d.oid, d.conrelid, d.confrelid, d.conname FROM copy AS c JOIN declared AS d ON d.parent OPERATOR(pg_catalog.=) c.oid AND d.conrelid OPERATOR(pg_catalog.=) c.conrelid
      )
      SELECT key, confrelid, conname FROM copy) AS c
   GROUP BY c.key
  UNION ALL
  SELECT 'configured', pg_catalog.json_build_object('number', c.number, 'unique', c.covered, 'columns', p.columns)
    FROM configured AS c JOIN compared AS p ON p.configured AND p.id OPERATOR(pg_catalog.=) c.number
), slice AS (
  SELECT i.kind, pg_catalog.json_agg(i.value) AS items
    FROM (SELECT i.kind, i.value, (pg_catalog.row_number() OVER () OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog./) 200 AS number FROM item AS i) AS i
   GROUP BY i.kind, i.number
)
SELECT pg_catalog.string_agg(pg_catalog.encode(pg_catalog.convert_to(pg_catalog.json_build_array(s.kind, s.items)::pg_catalog.text,
         CASE WHEN pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.=) 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END), 'base64'), '.')
  FROM slice AS s
