-- Whether user code that a batch runs may change which rows the WHERE of the client's DELETE finds in the next batch: `t` or `f`. The code
-- is searched for names, and in doubt the answer is `t`: a name anywhere in a function's source counts as a call of that function, or as a
-- write to that relation.
-- Placeholders: TABLES are the relations in which a batch deletes or updates rows. TARGET is the table of the client's DELETE with the relations
-- that share its rows, TARGET_NAMES a regular expression for their names, KEY_NAMES one for the columns of its primary key, and KEY_WORDS
-- these columns and other words in an array. READS_KEY_ALONE: the WHERE reads no column but those of the primary key. READS_OTHERS: the WHERE
-- reads other tables.
EXISTS (WITH RECURSIVE acting (oid, name, is_word) AS (
  -- Functions that may do more than compute a value: volatile ones, but for a few of the server's own. A stable function in SQL or PL/pgSQL may
  -- call volatile ones; one in C is taken to be as stable as it says. An aggregate may have a volatile transition function.
  -- `is_word`: the name is a single word, so that it is searched among the words of a source, and not as a part of its text.
  SELECT p.oid, pg_catalog.lower(p.proname::pg_catalog.text), p.proname::pg_catalog.text OPERATOR(pg_catalog.~) '^[[:alnum:]_$]+$'
    FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid OPERATOR(pg_catalog.=) p.prolang
   WHERE p.provolatile OPERATOR(pg_catalog.=) 'v' AND p.proname OPERATOR(pg_catalog.<>) ALL (ARRAY['random', 'gen_random_uuid', 'uuidv4',
           'uuidv7', 'clock_timestamp', 'timeofday', 'pg_notify']::pg_catalog.name[])
      OR p.oid OPERATOR(pg_catalog.>=) 16384 AND (p.provolatile OPERATOR(pg_catalog.=) 's' AND l.lanname OPERATOR(pg_catalog.<>) 'c'
           OR EXISTS (SELECT FROM pg_catalog.pg_aggregate AS a WHERE a.aggfnoid OPERATOR(pg_catalog.=) p.oid))
), relations (oid, name, is_word) AS (
  SELECT c.oid, pg_catalog.lower(c.relname::pg_catalog.text), c.relname::pg_catalog.text OPERATOR(pg_catalog.~) '^[[:alnum:]_$]+$'
    FROM pg_catalog.pg_class AS c WHERE c.relkind::pg_catalog.text OPERATOR(pg_catalog.~) '^[rpvf]$' AND c.oid OPERATOR(pg_catalog.>=) 16384
), calls (classid, objid, oid) AS (
  -- Which acting functions the catalog says that an object calls, also by an operator: a trigger, or the expression of a default, a CHECK or a
  -- rule.
  SELECT d.classid, d.objid, m.oid FROM pg_catalog.pg_depend AS d JOIN acting AS m ON m.oid OPERATOR(pg_catalog.=) d.refobjid
   WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
  UNION ALL
  SELECT d.classid, d.objid, m.oid FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) d.refobjid
    JOIN acting AS m ON m.oid OPERATOR(pg_catalog.=) o.oprcode
   WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_operator'::pg_catalog.regclass
), reached (kind, oid) AS (
  -- `function`: one that may be called. `written` and `deleted`: a relation whose rows may be written, or deleted. The recursion begins with the
  -- triggers of TABLES, the CHECKs that an UPDATE of them evaluates, and all casts and CHECKs of domains: no source names what these call.
  SELECT 'function', g.tgfoid FROM pg_catalog.pg_trigger AS g
   WHERE g.tgrelid OPERATOR(pg_catalog.=) ANY ($TABLES$) AND NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D'
     AND (g.tgtype OPERATOR(pg_catalog.&) 24::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0
  UNION
  SELECT 'function', d.oid FROM calls AS d LEFT JOIN pg_catalog.pg_constraint AS c
      ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass AND c.oid OPERATOR(pg_catalog.=) d.objid
   WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_cast'::pg_catalog.regclass OR c.contypid OPERATOR(pg_catalog.<>) 0
      OR c.conrelid OPERATOR(pg_catalog.=) ANY ($TABLES$)
  UNION
  SELECT n.kind, n.oid FROM reached AS r LEFT JOIN $SOURCE$ ON r.kind OPERATOR(pg_catalog.=) 'function' AND s.oid OPERATOR(pg_catalog.=) r.oid
   CROSS JOIN LATERAL (
    SELECT 'function', m.oid FROM acting AS m WHERE m.oid OPERATOR(pg_catalog.<>) s.oid AND CASE WHEN m.is_word
        THEN m.name OPERATOR(pg_catalog.=) ANY (s.words) ELSE pg_catalog.strpos(s.text, pg_catalog.replace(m.name, '"', '""')) OPERATOR(pg_catalog.>) 0 END
    UNION ALL
    SELECT 'function', m.oid FROM pg_catalog.pg_operator AS o JOIN acting AS m ON m.oid OPERATOR(pg_catalog.=) o.oprcode
     WHERE pg_catalog.strpos(s.text, o.oprname::pg_catalog.text) OPERATOR(pg_catalog.>) 0
    UNION ALL
    SELECT CASE WHEN s.code OPERATOR(pg_catalog.~) '[[:<:]](delete|merge|truncate)[[:>:]]' THEN 'deleted' ELSE 'written' END, c.oid
      FROM relations AS c
     WHERE s.code OPERATOR(pg_catalog.~) '[[:<:]](insert|copy|update|delete|merge|truncate)[[:>:]]' AND CASE WHEN c.is_word
        THEN c.name OPERATOR(pg_catalog.=) ANY (s.words) ELSE pg_catalog.strpos(s.text, pg_catalog.replace(c.name, '"', '""')) OPERATOR(pg_catalog.>) 0 END
    UNION ALL
    SELECT 'function', d.oid FROM pg_catalog.pg_depend AS o JOIN calls AS d ON d.classid OPERATOR(pg_catalog.=) o.classid AND d.objid OPERATOR(pg_catalog.=) o.objid
     WHERE r.kind OPERATOR(pg_catalog.<>) 'function' AND o.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
       AND o.refobjid OPERATOR(pg_catalog.=) r.oid AND o.deptype::pg_catalog.text OPERATOR(pg_catalog.~) '^[ai]$'
    UNION ALL
    -- What enforced keys do to the rows that reference it; then its inheritance children and partitions.
    SELECT CASE WHEN r.kind OPERATOR(pg_catalog.=) 'deleted' AND c.confdeltype OPERATOR(pg_catalog.=) 'c' THEN 'deleted' ELSE 'written' END, c.conrelid
      FROM pg_catalog.pg_constraint AS c
     WHERE r.kind OPERATOR(pg_catalog.<>) 'function' AND c.confrelid OPERATOR(pg_catalog.=) r.oid AND c.contype OPERATOR(pg_catalog.=) 'f'
       AND (c.confupdtype::pg_catalog.text OPERATOR(pg_catalog.~) '^[cnd]$'
         OR r.kind OPERATOR(pg_catalog.=) 'deleted' AND c.confdeltype::pg_catalog.text OPERATOR(pg_catalog.~) '^[cnd]$')
    UNION ALL
    SELECT r.kind, i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE r.kind OPERATOR(pg_catalog.<>) 'function' AND i.inhparent OPERATOR(pg_catalog.=) r.oid
   ) AS n (kind, oid)
), sources (trigger, language, code, words, server) AS (
  SELECT s.trigger, s.language, s.code, s.words, s.oid OPERATOR(pg_catalog.<) 16384
    FROM reached AS r JOIN $SOURCE$ ON s.oid OPERATOR(pg_catalog.=) r.oid WHERE r.kind OPERATOR(pg_catalog.=) 'function'
)
SELECT FROM sources AS s
 WHERE -- The source cannot be read, or executes SQL that it builds.
       NOT s.server AND (s.language OPERATOR(pg_catalog.~) '^(plpgsql|sql)$' IS NOT TRUE OR s.code OPERATOR(pg_catalog.~) '^[[:space:]]*$')
    OR s.code OPERATOR(pg_catalog.~) '[[:<:]](execute|language|ts_stat|ts_rewrite|query_to_xml[a-z_]*)[[:>:]]|[[:<:]]u&"'
    -- It has a comment within a comment, of which `code` still has a part.
    OR s.code OPERATOR(pg_catalog.~) '/[*](?:(?![*]/).)*/[*]'
    -- It inserts rows into TARGET: one statement would leave them, but the next batch would delete them.
    OR s.code OPERATOR(pg_catalog.~*) pg_catalog.concat('[[:<:]](into|copy)[[:space:]]+(("[^"]+"|[^"[:space:].]+)[[:space:]]*[.][[:space:]]*)?"?(', $TARGET_NAMES$, ')("|[^[:alnum:]_$]|$)')
    OR CASE WHEN $READS_KEY_ALONE$ THEN
         -- It updates the primary key: by name, by ON UPDATE, or because the column is generated from another.
         s.code OPERATOR(pg_catalog.~) '[[:<:]]update[[:>:]]' AND (
           s.code OPERATOR(pg_catalog.~*) pg_catalog.concat('[[:<:]]set[[:space:]]*[(]|([[:<:]]set[[:>:]]|,)[[:space:]]*"?(', $KEY_NAMES$, ')"?[[:space:]]*[=.[]')
           OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conrelid OPERATOR(pg_catalog.=) ANY ($TARGET$) AND k.contype OPERATOR(pg_catalog.=) 'p'
             AND (EXISTS (SELECT FROM pg_catalog.pg_constraint AS f WHERE f.conrelid OPERATOR(pg_catalog.=) k.conrelid AND f.contype OPERATOR(pg_catalog.=) 'f'
                   AND f.conkey OPERATOR(pg_catalog.&&) k.conkey AND f.confupdtype::pg_catalog.text OPERATOR(pg_catalog.~) '^[cnd]$')
               OR EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) k.conrelid AND a.attnum OPERATOR(pg_catalog.=) ANY (k.conkey)
                   AND coalesce(pg_catalog.to_jsonb(a) OPERATOR(pg_catalog.->>) 'attgenerated', '') OPERATOR(pg_catalog.<>) ''))))
       ELSE
         s.code OPERATOR(pg_catalog.~) '[[:<:]](update|delete|merge|truncate|refresh|alter|drop|set|reset|perform|select|call)[[:>:]]'
         OR s.server AND NOT s.trigger OR $READS_OTHERS$ AND s.code OPERATOR(pg_catalog.~) '[[:<:]](insert|copy)[[:>:]]'
       END
UNION ALL
-- A relation that is written has rules or is a foreign table: what these make of a write is not known here.
SELECT FROM reached AS r JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) r.oid
 WHERE r.kind OPERATOR(pg_catalog.<>) 'function' AND (c.relhasrules OR c.relkind OPERATOR(pg_catalog.=) 'f')
UNION ALL
-- A BEFORE UPDATE trigger of TARGET may change the primary key of the updated row.
SELECT FROM pg_catalog.pg_trigger AS g JOIN $TRIGGER_SOURCE$ ON s.oid OPERATOR(pg_catalog.=) g.tgfoid
 WHERE g.tgrelid OPERATOR(pg_catalog.=) ANY ($TARGET$) AND NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.<>) 'D'
   AND (g.tgtype OPERATOR(pg_catalog.&) 18::pg_catalog.int2) OPERATOR(pg_catalog.=) 18
   AND (s.words OPERATOR(pg_catalog.&&) $KEY_WORDS$ OR s.code OPERATOR(pg_catalog.~) '[[:<:]]new[[:space:]]*:?=')
   AND EXISTS (SELECT FROM sources AS u WHERE u.code OPERATOR(pg_catalog.~) '[[:<:]](update|merge)[[:>:]]'))
