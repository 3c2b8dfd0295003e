-- Whether code that runs with a batch may change which of the client's rows the WHERE finds after it: `t` or `f`. The code is looked
-- for by names, the wider way: a name that stands anywhere in a function's source is taken for a call of it, or for a write to it.
-- TABLES are those of which a batch deletes or changes rows, OWN the table of the client's DELETE with its parts, and OWN_NAMES a regular
-- expression for their names; so is KEY_NAMES for the columns of its primary key, KEY. ALONE: the WHERE looks at these alone. READS: at other tables.
EXISTS (WITH RECURSIVE moving (oid, name, plain) AS (
  -- Functions that may do more than compute. Those that a stable one calls may be volatile, but what is written in C means what it says;
  -- and of the server's own these are harmless.
  -- `plain`: its name is one word of a text, so that it is looked for among the words.
  SELECT p.oid, pg_catalog.lower(p.proname::pg_catalog.text), p.proname::pg_catalog.text OPERATOR(pg_catalog.~) '^[[:alnum:]_$]+$'
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid OPERATOR(pg_catalog.=) p.prolang
   WHERE p.provolatile OPERATOR(pg_catalog.=) 'v' AND p.proname OPERATOR(pg_catalog.<>) ALL (ARRAY['random', 'gen_random_uuid', 'uuidv4',
           'uuidv7', 'clock_timestamp', 'timeofday', 'pg_notify']::pg_catalog.name[])
      OR p.oid OPERATOR(pg_catalog.>=) 16384 AND (p.provolatile OPERATOR(pg_catalog.=) 's' AND l.lanname OPERATOR(pg_catalog.<>) 'c'
           OR EXISTS (SELECT FROM pg_catalog.pg_aggregate AS a WHERE a.aggfnoid OPERATOR(pg_catalog.=) p.oid))
), relations (oid, name, plain) AS (
  SELECT c.oid, pg_catalog.lower(c.relname::pg_catalog.text), c.relname::pg_catalog.text OPERATOR(pg_catalog.~) '^[[:alnum:]_$]+$'
    FROM pg_catalog.pg_class AS c WHERE c.relkind::pg_catalog.text OPERATOR(pg_catalog.~) '^[rpvf]$' AND c.oid OPERATOR(pg_catalog.>=) 16384
), called (classid, objid, oid) AS (
  -- What an object calls, by an operator too: a trigger, the expression of a default, of a CHECK or of a rule.
  SELECT d.classid, d.objid, m.oid FROM pg_catalog.pg_depend AS d JOIN moving AS m ON m.oid OPERATOR(pg_catalog.=) d.refobjid
   WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
  UNION ALL
  SELECT d.classid, d.objid, m.oid FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) d.refobjid
    JOIN moving AS m ON m.oid OPERATOR(pg_catalog.=) o.oprcode
   WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_operator'::pg_catalog.regclass
), reached (kind, oid) AS (
  -- `function`: may be called. `written` and `deleted`: a relation, rows of which may be written, or deleted. First come the triggers,
  -- and the CHECKs that an UPDATE evaluates. No text has the name of what the CHECK of a domain calls, or a cast.
  SELECT 'function', g.tgfoid FROM pg_catalog.pg_trigger AS g
   WHERE g.tgrelid OPERATOR(pg_catalog.=) ANY ($TABLES$) AND NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D'
     AND (g.tgtype OPERATOR(pg_catalog.&) 24::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0
  UNION
  SELECT 'function', d.oid FROM called AS d LEFT JOIN pg_catalog.pg_constraint AS c
      ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.oid OPERATOR(pg_catalog.=) d.objid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_cast'::pg_catalog.regclass OR c.contypid OPERATOR(pg_catalog.<>) 0
      OR c.conrelid OPERATOR(pg_catalog.=) ANY ($TABLES$)
  UNION
  SELECT n.kind, n.oid FROM reached AS r LEFT JOIN $SOURCE$ ON r.kind OPERATOR(pg_catalog.=) 'function' AND s.oid OPERATOR(pg_catalog.=) r.oid
   CROSS JOIN LATERAL (
    SELECT 'function', m.oid FROM moving AS m WHERE m.oid OPERATOR(pg_catalog.<>) s.oid AND CASE WHEN m.plain
        THEN m.name OPERATOR(pg_catalog.=) ANY (s.words) ELSE pg_catalog.strpos(s.text, pg_catalog.replace(m.name, '"', '""')) OPERATOR(pg_catalog.>) 0 END
    UNION ALL
    SELECT 'function', m.oid FROM pg_catalog.pg_operator AS o JOIN moving AS m ON m.oid OPERATOR(pg_catalog.=) o.oprcode
     WHERE pg_catalog.strpos(s.text, o.oprname::pg_catalog.text) OPERATOR(pg_catalog.>) 0
    UNION ALL
    SELECT CASE WHEN s.code OPERATOR(pg_catalog.~) '[[:<:]](delete|merge|truncate)[[:>:]]' THEN 'deleted' ELSE 'written' END, c.oid
      FROM relations AS c
     WHERE s.code OPERATOR(pg_catalog.~) '[[:<:]](insert|copy|update|delete|merge|truncate)[[:>:]]' AND CASE WHEN c.plain
        THEN c.name OPERATOR(pg_catalog.=) ANY (s.words) ELSE pg_catalog.strpos(s.text, pg_catalog.replace(c.name, '"', '""')) OPERATOR(pg_catalog.>) 0 END
    UNION ALL
    SELECT 'function', d.oid FROM pg_catalog.pg_depend AS o JOIN called AS d ON d.classid OPERATOR(pg_catalog.=) o.classid AND d.objid OPERATOR(pg_catalog.=) o.objid
     WHERE r.kind OPERATOR(pg_catalog.<>) 'function' AND o.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
       AND o.refobjid OPERATOR(pg_catalog.=) r.oid AND o.deptype::pg_catalog.text OPERATOR(pg_catalog.~) '^[ai]$'
    UNION ALL
    -- What the server's own keys do to it, and its parts.
    SELECT CASE WHEN r.kind OPERATOR(pg_catalog.=) 'deleted' AND c.confdeltype OPERATOR(pg_catalog.=) 'c' THEN 'deleted' ELSE 'written' END, c.conrelid
      FROM pg_catalog.pg_constraint AS c
     WHERE r.kind OPERATOR(pg_catalog.<>) 'function' AND c.confrelid OPERATOR(pg_catalog.=) r.oid AND c.contype OPERATOR(pg_catalog.=) 'f'
       AND (c.confupdtype::pg_catalog.text OPERATOR(pg_catalog.~) '^[cnd]$'
         OR r.kind OPERATOR(pg_catalog.=) 'deleted' AND c.confdeltype::pg_catalog.text OPERATOR(pg_catalog.~) '^[cnd]$')
    UNION ALL
    SELECT r.kind, i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE r.kind OPERATOR(pg_catalog.<>) 'function' AND i.inhparent OPERATOR(pg_catalog.=) r.oid
   ) AS n (kind, oid)
), reaches (trigger, language, code, words, server) AS (
  SELECT s.trigger, s.language, s.code, s.words, s.oid OPERATOR(pg_catalog.<) 16384
    FROM reached AS r JOIN $SOURCE$ ON s.oid OPERATOR(pg_catalog.=) r.oid WHERE r.kind OPERATOR(pg_catalog.=) 'function'
)
SELECT FROM reaches AS s
 WHERE -- It cannot be read, or runs a text that it makes.
       NOT s.server AND (s.language OPERATOR(pg_catalog.~) '^(plpgsql|sql)$' IS NOT TRUE OR s.code OPERATOR(pg_catalog.~) '^[[:space:]]*$')
    OR s.code OPERATOR(pg_catalog.~) '[[:<:]](execute|language|ts_stat|ts_rewrite|query_to_xml[a-z_]*)[[:>:]]|[[:<:]]u&"'
    -- A comment in a comment, of which `code` still has a part.
    OR s.code OPERATOR(pg_catalog.~) '/[*](?:(?![*]/).)*/[*]'
    -- It adds rows to the client's own table, which one statement leaves.
    OR s.code OPERATOR(pg_catalog.~*) pg_catalog.concat('[[:<:]](into|copy)[[:space:]]+(("[^"]+"|[^"[:space:].]+)[[:space:]]*[.][[:space:]]*)?"?(', $OWN_NAMES$, ')("|[^[:alnum:]_$]|$)')
    OR CASE WHEN $ALONE$ THEN
         -- It changes the primary key: by name, or that follows from another column.
         s.code OPERATOR(pg_catalog.~) '[[:<:]]update[[:>:]]' AND (
           s.code OPERATOR(pg_catalog.~*) pg_catalog.concat('[[:<:]]set[[:space:]]*[(]|([[:<:]]set[[:>:]]|,)[[:space:]]*"?(', $KEY_NAMES$, ')"?[[:space:]]*[=.[]')
           OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conrelid OPERATOR(pg_catalog.=) ANY ($OWN$) AND k.contype OPERATOR(pg_catalog.=) 'p'
             AND (EXISTS (SELECT FROM pg_catalog.pg_constraint AS f WHERE f.conrelid OPERATOR(pg_catalog.=) k.conrelid AND f.contype OPERATOR(pg_catalog.=) 'f'
                   AND f.conkey OPERATOR(pg_catalog.&&) k.conkey AND f.confupdtype::pg_catalog.text OPERATOR(pg_catalog.~) '^[cnd]$')
               OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.conkey)
                   AND coalesce(pg_catalog.to_jsonb(a) OPERATOR(pg_catalog.->>) 'attgenerated', '') OPERATOR(pg_catalog.<>) ''))))
       ELSE
         s.code OPERATOR(pg_catalog.~) '[[:<:]](update|delete|merge|truncate|refresh|alter|drop|set|reset|perform|select|call)[[:>:]]'
         OR s.server AND NOT s.trigger OR $READS$ AND s.code OPERATOR(pg_catalog.~) '[[:<:]](insert|copy)[[:>:]]'
       END
UNION ALL
-- What a view, a rule or another server makes of a write nobody reads here.
SELECT FROM reached AS r JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) r.oid
 WHERE r.kind OPERATOR(pg_catalog.<>) 'function' AND (c.relhasrules OR c.relkind OPERATOR(pg_catalog.=) 'f')
UNION ALL
-- A BEFORE trigger that changes the key of a row as it is updated.
SELECT FROM pg_catalog.pg_trigger AS g JOIN $TRIGGER_SOURCE$ ON s.oid OPERATOR(pg_catalog.=) g.tgfoid
 WHERE g.tgrelid OPERATOR(pg_catalog.=) ANY ($OWN$) AND NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D'
   AND (g.tgtype OPERATOR(pg_catalog.&) 18::pg_catalog.int2) OPERATOR(pg_catalog.=) 18
   AND (s.words OPERATOR(pg_catalog.&&) $KEY$ OR s.code OPERATOR(pg_catalog.~) '[[:<:]]new[[:space:]]*:?=')
   AND EXISTS (SELECT FROM reaches AS u WHERE u.code OPERATOR(pg_catalog.~) '[[:<:]](update|merge)[[:>:]]'))
