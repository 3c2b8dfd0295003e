-- The foreign keys of a database and what is known of the tables they touch, as one JSON document (model.ts, Catalog).
-- Every operator has its schema: a session's search_path may put others before them, and what is read here serves all
-- sessions. Works from PostgreSQL 10 on: columns that came later (conenforced, confdelsetcols, conperiod) are read through
-- to_jsonb. Partitions' copies of a key are left out: the key belongs to the relation it is declared on. The relations of
-- the configuration are read as keys too (configured.sql).
WITH elsewhere AS (
  -- Temporary relations of other sessions, by their schema: nobody else has them.
  SELECT d.objid AS oid FROM pg_catalog.pg_namespace AS n
    JOIN pg_catalog.pg_depend AS d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
     AND d.refobjid OPERATOR(pg_catalog.=) n.oid AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
   WHERE n.nspname::pg_catalog.text OPERATOR(pg_catalog.~) '^pg_temp_' AND n.oid OPERATOR(pg_catalog.<>) pg_catalog.pg_my_temp_schema()
), key AS (
  SELECT c.*, pg_catalog.to_jsonb(c) AS j
    FROM pg_catalog.pg_constraint AS c
   WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND NOT c.conrelid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM elsewhere) AND coalesce((pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'conparentid')::pg_catalog.oid, 0) OPERATOR(pg_catalog.=) 0
), configured AS (
  $CONFIGURED_KEYS$
), named (oid) AS (
  -- What the configuration names is wanted too, whether or not a key touches it, in another case too (it may be meant);
  -- and what a view among it reads.
  WITH RECURSIVE named (oid) AS (
    SELECT r.oid FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
     WHERE EXISTS (SELECT FROM (VALUES $NAMED$) AS v (schema, name)
                    WHERE pg_catalog.lower(v.schema) OPERATOR(pg_catalog.=) pg_catalog.lower(n.nspname::pg_catalog.text)
                      AND pg_catalog.lower(v.name) OPERATOR(pg_catalog.=) pg_catalog.lower(r.relname::pg_catalog.text))
    UNION
    SELECT d.refobjid
      FROM named AS n
      JOIN pg_catalog.pg_class AS v ON v.oid OPERATOR(pg_catalog.=) n.oid AND v.relkind OPERATOR(pg_catalog.=) 'v'
      JOIN pg_catalog.pg_rewrite AS w ON w.ev_class OPERATOR(pg_catalog.=) v.oid
      JOIN pg_catalog.pg_depend AS d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) w.oid
       AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
  )
  SELECT oid FROM named
), deleting AS (
  $DELETING_TRIGGERS$
), touched AS (
  SELECT conrelid AS oid FROM key UNION SELECT confrelid FROM key UNION SELECT oid FROM named
  UNION SELECT tgrelid FROM deleting WHERE (tgtype OPERATOR(pg_catalog.&) 40::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0
), member AS (
  -- Everything related to a touched table by partitioning or inheritance, upwards and downwards: what a DELETE may name
  -- instead of it.
  WITH RECURSIVE below (oid) AS (
    SELECT oid FROM touched UNION
    SELECT i.inhrelid FROM below JOIN pg_catalog.pg_inherits AS i ON i.inhparent OPERATOR(pg_catalog.=) below.oid
  ), above (oid) AS (
    SELECT oid FROM touched UNION
    SELECT i.inhparent FROM above JOIN pg_catalog.pg_inherits AS i ON i.inhrelid OPERATOR(pg_catalog.=) above.oid
  )
  (SELECT oid FROM below UNION SELECT oid FROM above) EXCEPT SELECT oid FROM elsewhere
), view AS (
  -- Views over any of them, at any depth.
  WITH RECURSIVE over (oid, base) AS (
    SELECT w.ev_class, d.refobjid
      FROM pg_catalog.pg_rewrite AS w
      JOIN pg_catalog.pg_depend AS d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) w.oid
       AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid OPERATOR(pg_catalog.<>) w.ev_class
      JOIN pg_catalog.pg_class AS v ON v.oid OPERATOR(pg_catalog.=) w.ev_class AND v.relkind OPERATOR(pg_catalog.=) 'v'
     WHERE d.refobjid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM member)
    UNION
    SELECT w.ev_class, over.base
      FROM over
      JOIN pg_catalog.pg_depend AS d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
       AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid OPERATOR(pg_catalog.=) over.oid
      JOIN pg_catalog.pg_rewrite AS w ON w.oid OPERATOR(pg_catalog.=) d.objid AND w.ev_class OPERATOR(pg_catalog.<>) over.oid
      JOIN pg_catalog.pg_class AS v ON v.oid OPERATOR(pg_catalog.=) w.ev_class AND v.relkind OPERATOR(pg_catalog.=) 'v'
  )
  SELECT oid, base FROM over WHERE NOT oid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM elsewhere)
), compared AS (
  -- How the columns of each key are compared.
  SELECT k.configured, k.id, pg_catalog.json_agg(pg_catalog.json_build_object(
    'from', child.attname,
    'to', parent.attname,
    'operator', CASE WHEN op.oid IS NOT NULL THEN pg_catalog.concat(pg_catalog.quote_ident(opn.nspname), '.', op.oprname) END,
    'commutator', CASE WHEN com.oid IS NOT NULL THEN
       pg_catalog.concat(pg_catalog.quote_ident(comn.nspname), '.', com.oprname) END,
    -- By the type's own name, as in ri_add_cast_to: `character` would be cut to one character, bpchar is not.
    'left', CASE WHEN lt.typtype OPERATOR(pg_catalog.=) 'b' AND op.oprleft OPERATOR(pg_catalog.<>) parent.atttypid THEN
       pg_catalog.concat(pg_catalog.quote_ident(ltn.nspname), '.', pg_catalog.quote_ident(lt.typname)) END,
    'right', CASE WHEN rt.typtype OPERATOR(pg_catalog.=) 'b' AND op.oprright OPERATOR(pg_catalog.<>) child.atttypid THEN
       pg_catalog.concat(pg_catalog.quote_ident(rtn.nspname), '.', pg_catalog.quote_ident(rt.typname)) END,
    -- Two collations make a comparison ambiguous. Equality is the same under all deterministic ones, so the
    -- child's is taken, for its index; a nondeterministic one decides, as in ri_GenerateQualCollation.
    'collation', CASE WHEN child.attcollation OPERATOR(pg_catalog.<>) parent.attcollation THEN (
      SELECT pg_catalog.concat(pg_catalog.quote_ident(cn.nspname), '.', pg_catalog.quote_ident(co.collname))
        FROM pg_catalog.pg_collation AS co JOIN pg_catalog.pg_namespace AS cn ON cn.oid OPERATOR(pg_catalog.=) co.collnamespace
       WHERE co.oid OPERATOR(pg_catalog.=) ANY (ARRAY[child.attcollation, parent.attcollation])
       ORDER BY coalesce((pg_catalog.to_jsonb(co) OPERATOR(pg_catalog.->>) 'collisdeterministic')::pg_catalog.bool, true),
                co.oid OPERATOR(pg_catalog.=) child.attcollation DESC
       LIMIT 1) END
  ) ORDER BY u.position) AS columns
  FROM (SELECT false AS configured, oid::pg_catalog.int8 AS id, conrelid, confrelid, conkey, confkey, conpfeqop FROM key
        UNION ALL SELECT true, number, conrelid, confrelid, conkey, confkey, conpfeqop FROM configured) AS k
  CROSS JOIN ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conpfeqop))
       WITH ORDINALITY AS u (child, parent, operator, position)
  JOIN pg_catalog.pg_attribute AS child ON child.attrelid OPERATOR(pg_catalog.=) k.conrelid AND child.attnum OPERATOR(pg_catalog.=) u.child
  JOIN pg_catalog.pg_attribute AS parent ON parent.attrelid OPERATOR(pg_catalog.=) k.confrelid AND parent.attnum OPERATOR(pg_catalog.=) u.parent
  LEFT JOIN pg_catalog.pg_operator AS op ON op.oid OPERATOR(pg_catalog.=) u.operator
  LEFT JOIN pg_catalog.pg_namespace AS opn ON opn.oid OPERATOR(pg_catalog.=) op.oprnamespace
  LEFT JOIN pg_catalog.pg_type AS lt ON lt.oid OPERATOR(pg_catalog.=) op.oprleft
  LEFT JOIN pg_catalog.pg_namespace AS ltn ON ltn.oid OPERATOR(pg_catalog.=) lt.typnamespace
  LEFT JOIN pg_catalog.pg_type AS rt ON rt.oid OPERATOR(pg_catalog.=) op.oprright
  LEFT JOIN pg_catalog.pg_namespace AS rtn ON rtn.oid OPERATOR(pg_catalog.=) rt.typnamespace
  LEFT JOIN pg_catalog.pg_operator AS com ON com.oid OPERATOR(pg_catalog.=) op.oprcom
  LEFT JOIN pg_catalog.pg_namespace AS comn ON comn.oid OPERATOR(pg_catalog.=) com.oprnamespace
   GROUP BY k.configured, k.id
)
SELECT pg_catalog.json_build_object(
  'relations', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', r.oid::pg_catalog.int8,
      'schema', n.nspname,
      'name', r.relname,
      'kind', r.relkind,
      'rules', EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class OPERATOR(pg_catalog.=) r.oid AND w.ev_type OPERATOR(pg_catalog.=) '4'),
      -- pg_get_viewdef finds its own operators by the session's search_path (ruleutils.c): for a moment that has none but
      -- the server's. A local setting of the value that was there leaves everything as it was.
      'definition', CASE WHEN r.relkind OPERATOR(pg_catalog.=) 'v' THEN (
        SELECT pg_catalog.concat(pg_catalog.left(pg_catalog.set_config('search_path', 'pg_catalog', true), 0),
                                 pg_catalog.pg_get_viewdef(r.oid),
                                 pg_catalog.left(pg_catalog.set_config('search_path', o.path, true), 0))
          FROM (SELECT pg_catalog.current_setting('search_path') AS path OFFSET 0) AS o) END,
      -- A trigger on its rows may keep them: BEFORE, or INSTEAD OF on a view.
      'keeps', EXISTS (SELECT FROM pg_catalog.pg_trigger AS g
                        WHERE g.tgrelid OPERATOR(pg_catalog.=) r.oid AND ((g.tgtype OPERATOR(pg_catalog.&) 11::pg_catalog.int2) OPERATOR(pg_catalog.=) 11
                            OR (g.tgtype OPERATOR(pg_catalog.&) 73::pg_catalog.int2) OPERATOR(pg_catalog.=) 73)
                          AND NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D'),
      'triggers', coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
          'name', g.tgname,
          'function', g.function,
          'row', (g.tgtype OPERATOR(pg_catalog.&) 1::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
          'deletes', (g.tgtype OPERATOR(pg_catalog.&) 8::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
          'updates', (g.tgtype OPERATOR(pg_catalog.&) 16::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
          'truncates', (g.tgtype OPERATOR(pg_catalog.&) 32::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0,
          'columns', (SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_attribute AS a
                       WHERE a.attrelid OPERATOR(pg_catalog.=) g.tgrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (g.tgattr))
        ) ORDER BY g.tgname) FROM deleting AS g WHERE g.tgrelid OPERATOR(pg_catalog.=) r.oid), '[]'),
      'partition', r.relispartition,
      'parents', coalesce((SELECT pg_catalog.json_agg(i.inhparent::pg_catalog.int8)
                             FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid OPERATOR(pg_catalog.=) r.oid), '[]'),
      'viewOf', coalesce((SELECT pg_catalog.json_agg(DISTINCT v.base::pg_catalog.int8) FROM view AS v WHERE v.oid OPERATOR(pg_catalog.=) r.oid), '[]'),
      'reads', coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object('oid', b.oid::pg_catalog.int8, 'schema', bn.nspname, 'name', b.relname))
          FROM pg_catalog.pg_class AS b JOIN pg_catalog.pg_namespace AS bn ON bn.oid OPERATOR(pg_catalog.=) b.relnamespace
         WHERE r.relkind OPERATOR(pg_catalog.=) 'v' AND b.oid OPERATOR(pg_catalog.=) ANY (
           SELECT d.refobjid FROM pg_catalog.pg_rewrite AS w
             JOIN pg_catalog.pg_depend AS d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid OPERATOR(pg_catalog.=) w.oid
            WHERE w.ev_class OPERATOR(pg_catalog.=) r.oid AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
              AND d.refobjid OPERATOR(pg_catalog.<>) r.oid)), '[]'),
      'columns', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
          'name', a.attname,
          'scalar', t.typtype OPERATOR(pg_catalog.=) ANY (ARRAY['b', 'e']) AND t.typelem OPERATOR(pg_catalog.=) 0,
          'notNull', a.attnotnull,
          -- Of types whose constants read the same under all settings, without the cast that pg_get_expr adds, which would
          -- be looked up; no function that somebody made for a cast. Asked only of columns that a key can set.
          'constant', CASE
            WHEN t.typtype OPERATOR(pg_catalog.=) 'd' OR t.typdefault IS NOT NULL OR a.attidentity OPERATOR(pg_catalog.<>) ''
              OR (pg_catalog.to_jsonb(a) OPERATOR(pg_catalog.->>) 'attgenerated') OPERATOR(pg_catalog.<>) '' THEN NULL
            WHEN NOT a.atthasdef THEN 'NULL'
            WHEN t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
             AND t.typname OPERATOR(pg_catalog.=) ANY (ARRAY['int2', 'int4', 'int8', 'numeric', 'text', 'varchar', 'bpchar', 'uuid', 'bool']::pg_catalog.name[])
             AND (r.oid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM named)
                  OR EXISTS (SELECT FROM key AS k WHERE k.conrelid OPERATOR(pg_catalog.=) r.oid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.conkey)))
            THEN (
              SELECT pg_catalog.concat('(', c.found[1], ')::pg_catalog.', t.typname, pg_catalog.substring(pg_catalog.format_type(a.atttypid, a.atttypmod), '[(].*[)]'))
                FROM pg_catalog.pg_attrdef AS d
                CROSS JOIN LATERAL pg_catalog.regexp_match(pg_catalog.pg_get_expr(d.adbin, d.adrelid),
                  '^(E?''(?:[^'']|'''')*''|-?[0-9]+(?:[.][0-9]+)?|true|false|NULL)(?:::[a-z ]+)?$') AS c (found)
               WHERE d.adrelid OPERATOR(pg_catalog.=) r.oid AND d.adnum OPERATOR(pg_catalog.=) a.attnum AND c.found IS NOT NULL
                 AND NOT EXISTS (SELECT FROM pg_catalog.regexp_matches(d.adbin::pg_catalog.text, ':funcid ([0-9]+)', 'g') AS f (id)
                                  WHERE f.id[1]::pg_catalog.int8 OPERATOR(pg_catalog.>=) 16384))
            END
        ) ORDER BY a.attnum), '[]')
        FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
        WHERE a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped),
      -- Only where all its types are built in: others have operators that may not be found.
      'primaryKey', coalesce((
        SELECT pg_catalog.json_agg(a.attname ORDER BY u.position)
          FROM pg_catalog.pg_constraint AS c
          CROSS JOIN pg_catalog.unnest(c.conkey) WITH ORDINALITY AS u (number, position)
          JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attnum OPERATOR(pg_catalog.=) u.number
          JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
         WHERE c.conrelid OPERATOR(pg_catalog.=) r.oid AND c.contype OPERATOR(pg_catalog.=) 'p'
        HAVING pg_catalog.bool_and(t.typnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace)), '[]'),
      'indexed', coalesce((
        -- The first columns of every index that can find a row by them alone.
        SELECT pg_catalog.json_agg(DISTINCT a.attname)
          FROM pg_catalog.pg_index AS x
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) r.oid AND a.attnum OPERATOR(pg_catalog.=) x.indkey[0]
         WHERE x.indrelid OPERATOR(pg_catalog.=) r.oid AND x.indisvalid AND x.indpred IS NULL), '[]')
    )), '[]')
    FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace
    WHERE r.oid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM member UNION SELECT oid FROM view)),
  'keys', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'id', k.oid::pg_catalog.int8,
      'name', k.conname,
      'from', k.conrelid::pg_catalog.int8,
      'to', k.confrelid::pg_catalog.int8,
      'action', k.confdeltype,
      'enforced', coalesce((k.j OPERATOR(pg_catalog.->>) 'conenforced')::pg_catalog.bool, true),
      'deferred', k.condeferred,
      'full', k.confmatchtype OPERATOR(pg_catalog.=) 'f',
      'period', coalesce((k.j OPERATOR(pg_catalog.->>) 'conperiod')::pg_catalog.bool, false),
      'columns', p.columns,
      'setColumns', (
        SELECT pg_catalog.json_agg(a.attname ORDER BY s.position)
          FROM pg_catalog.jsonb_array_elements_text(
                 CASE WHEN pg_catalog.jsonb_typeof(k.j OPERATOR(pg_catalog.->) 'confdelsetcols') OPERATOR(pg_catalog.=) 'array' THEN k.j OPERATOR(pg_catalog.->) 'confdelsetcols' END)
               WITH ORDINALITY AS s (number, position)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) s.number::pg_catalog.int2),
      -- What its copies for the partitions of the referenced table are called: errors name these.
      'copies', (
        WITH RECURSIVE copy (oid) AS (
          SELECT k.oid UNION ALL
          SELECT c.oid FROM copy JOIN pg_catalog.pg_constraint AS c
              ON (pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'conparentid')::pg_catalog.oid OPERATOR(pg_catalog.=) copy.oid
             AND c.conrelid OPERATOR(pg_catalog.=) k.conrelid AND c.contype OPERATOR(pg_catalog.=) 'f')
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object('to', c.confrelid::pg_catalog.int8, 'name', c.conname))
          FROM copy JOIN pg_catalog.pg_constraint AS c ON c.oid OPERATOR(pg_catalog.=) copy.oid
         WHERE c.oid OPERATOR(pg_catalog.<>) k.oid)
    ) ORDER BY k.oid), '[]')
    FROM key AS k JOIN compared AS p ON NOT p.configured AND p.id OPERATOR(pg_catalog.=) k.oid::pg_catalog.int8),
  'configured', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'number', c.number,
      'unique', c.covered,
      'columns', p.columns)), '[]')
    FROM configured AS c JOIN compared AS p ON p.configured AND p.id OPERATOR(pg_catalog.=) c.number)
)
