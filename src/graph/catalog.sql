-- The foreign keys of a database and what is known of the tables they touch, as one JSON document (model.ts, Catalog).
-- Works from PostgreSQL 10 on: columns that came later (conenforced, confdelsetcols, conperiod) are read through
-- to_jsonb. Partitions' copies of a key are left out: the key belongs to the relation it is declared on.
WITH key AS (
  SELECT c.*, pg_catalog.to_jsonb(c) AS j
    FROM pg_catalog.pg_constraint AS c
   WHERE c.contype = 'f' AND coalesce((pg_catalog.to_jsonb(c) ->> 'conparentid')::pg_catalog.oid, 0) = 0
), named AS (
  -- What the configuration names is wanted too, whether or not a key touches it.
  SELECT r.oid FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
   WHERE (n.nspname::text, r.relname::text) IN ($NAMED$)
), touched AS (
  SELECT conrelid AS oid FROM key UNION SELECT confrelid FROM key UNION SELECT oid FROM named
), member AS (
  -- Everything related to a touched table by partitioning or inheritance, upwards and downwards: what a DELETE may name
  -- instead of it.
  WITH RECURSIVE below (oid) AS (
    SELECT oid FROM touched UNION
    SELECT i.inhrelid FROM below JOIN pg_catalog.pg_inherits AS i ON i.inhparent = below.oid
  ), above (oid) AS (
    SELECT oid FROM touched UNION
    SELECT i.inhparent FROM above JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = above.oid
  )
  SELECT oid FROM below UNION SELECT oid FROM above
), view AS (
  -- Views over any of them, at any depth.
  WITH RECURSIVE over (oid, base) AS (
    SELECT w.ev_class, d.refobjid
      FROM pg_catalog.pg_rewrite AS w
      JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class
      JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class AND v.relkind = 'v'
     WHERE d.refobjid IN (SELECT oid FROM member)
    UNION
    SELECT w.ev_class, over.base
      FROM over
      JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = over.oid
      JOIN pg_catalog.pg_rewrite AS w ON w.oid = d.objid AND w.ev_class <> over.oid
      JOIN pg_catalog.pg_class AS v ON v.oid = w.ev_class AND v.relkind = 'v'
  )
  SELECT oid, base FROM over
)
SELECT pg_catalog.json_build_object(
  'relations', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'oid', r.oid::pg_catalog.int8,
      'schema', n.nspname,
      'name', r.relname,
      'kind', r.relkind,
      'rules', EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = r.oid AND w.ev_type = '4' AND r.relkind <> 'v'),
      'partition', r.relispartition,
      'parents', coalesce((SELECT pg_catalog.json_agg(i.inhparent::pg_catalog.int8)
                             FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = r.oid), '[]'),
      'viewOf', coalesce((SELECT pg_catalog.json_agg(DISTINCT v.base::pg_catalog.int8) FROM view AS v WHERE v.oid = r.oid), '[]'),
      'columns', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
          'name', a.attname,
          'scalar', t.typtype IN ('b', 'e') AND t.typelem = 0
        ) ORDER BY a.attnum), '[]')
        FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped),
      'primaryKey', coalesce((
        SELECT pg_catalog.json_agg(a.attname ORDER BY u.position)
          FROM pg_catalog.pg_constraint AS c
          CROSS JOIN pg_catalog.unnest(c.conkey) WITH ORDINALITY AS u (number, position)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum = u.number
         WHERE c.conrelid = r.oid AND c.contype = 'p'), '[]'),
      'indexed', coalesce((
        -- The first columns of every index that can find a row by them alone.
        SELECT pg_catalog.json_agg(DISTINCT a.attname)
          FROM pg_catalog.pg_index AS x
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum = x.indkey[0]
         WHERE x.indrelid = r.oid AND x.indisvalid AND x.indpred IS NULL), '[]')
    )), '[]')
    FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
    WHERE r.oid IN (SELECT oid FROM member UNION SELECT oid FROM view)),
  'keys', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'id', k.oid::pg_catalog.int8,
      'name', k.conname,
      'from', k.conrelid::pg_catalog.int8,
      'to', k.confrelid::pg_catalog.int8,
      'action', k.confdeltype,
      'enforced', coalesce((k.j ->> 'conenforced')::pg_catalog.bool, true),
      'deferred', k.condeferred,
      'full', k.confmatchtype = 'f',
      'period', coalesce((k.j ->> 'conperiod')::pg_catalog.bool, false),
      'columns', (
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
          'from', child.attname,
          'to', parent.attname,
          'operator', pg_catalog.concat(pg_catalog.quote_ident(opn.nspname), '.', op.oprname),
          'commutator', CASE WHEN com.oid IS NOT NULL THEN
             pg_catalog.concat(pg_catalog.quote_ident(comn.nspname), '.', com.oprname) END,
          -- By the type's own name, as in ri_add_cast_to: `character` would be cut to one character, bpchar is not.
          'left', CASE WHEN lt.typtype = 'b' AND op.oprleft <> parent.atttypid THEN
             pg_catalog.concat(pg_catalog.quote_ident(ltn.nspname), '.', pg_catalog.quote_ident(lt.typname)) END,
          'right', CASE WHEN rt.typtype = 'b' AND op.oprright <> child.atttypid THEN
             pg_catalog.concat(pg_catalog.quote_ident(rtn.nspname), '.', pg_catalog.quote_ident(rt.typname)) END,
          -- Two collations make a comparison ambiguous. Equality is the same under all deterministic ones, so the
          -- child's is taken, for its index; a nondeterministic one decides, as in ri_GenerateQualCollation.
          'collation', CASE WHEN child.attcollation <> parent.attcollation THEN (
            SELECT pg_catalog.concat(pg_catalog.quote_ident(cn.nspname), '.', pg_catalog.quote_ident(co.collname))
              FROM pg_catalog.pg_collation AS co JOIN pg_catalog.pg_namespace AS cn ON cn.oid = co.collnamespace
             WHERE co.oid IN (child.attcollation, parent.attcollation)
             ORDER BY coalesce((pg_catalog.to_jsonb(co) ->> 'collisdeterministic')::pg_catalog.bool, true),
                      co.oid = child.attcollation DESC
             LIMIT 1) END
        ) ORDER BY u.position)
        FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conpfeqop))
             WITH ORDINALITY AS u (child, parent, operator, position)
        JOIN pg_catalog.pg_attribute AS child ON child.attrelid = k.conrelid AND child.attnum = u.child
        JOIN pg_catalog.pg_attribute AS parent ON parent.attrelid = k.confrelid AND parent.attnum = u.parent
        JOIN pg_catalog.pg_operator AS op ON op.oid = u.operator
        JOIN pg_catalog.pg_namespace AS opn ON opn.oid = op.oprnamespace
        JOIN pg_catalog.pg_type AS lt ON lt.oid = op.oprleft
        JOIN pg_catalog.pg_namespace AS ltn ON ltn.oid = lt.typnamespace
        JOIN pg_catalog.pg_type AS rt ON rt.oid = op.oprright
        JOIN pg_catalog.pg_namespace AS rtn ON rtn.oid = rt.typnamespace
        LEFT JOIN pg_catalog.pg_operator AS com ON com.oid = op.oprcom
        LEFT JOIN pg_catalog.pg_namespace AS comn ON comn.oid = com.oprnamespace),
      'setColumns', (
        SELECT pg_catalog.json_agg(a.attname ORDER BY s.position)
          FROM pg_catalog.jsonb_array_elements_text(
                 CASE WHEN pg_catalog.jsonb_typeof(k.j -> 'confdelsetcols') = 'array' THEN k.j -> 'confdelsetcols' END)
               WITH ORDINALITY AS s (number, position)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = s.number::pg_catalog.int2)
    ) ORDER BY k.oid), '[]')
    FROM key AS k)
)
