-- Triggers on DELETE, UPDATE and TRUNCATE whose function may delete, as rows of pg_trigger: its source, or that of a function
-- that it names, has a word with which rows are deleted. Comments count too; what functions in C do nobody sees.
WITH source AS (
  -- Functions with a source that can be read. In PL/pgSQL the text 'DELETE' alone is what TG_OP is compared with.
  SELECT p.oid, pg_catalog.lower(p.proname::pg_catalog.text) AS name, pg_catalog.lower(CASE
           WHEN l.lanname OPERATOR(pg_catalog.=) 'plpgsql' THEN pg_catalog.regexp_replace(p.prosrc, '''(delete|truncate|merge|execute)''', '', 'gi')
           ELSE p.prosrc END) AS text,
         -- A body that was parsed (BEGIN ATOMIC) has no text; 4 and 5 are CMD_DELETE and CMD_MERGE.
         l.lanname OPERATOR(pg_catalog.=) 'sql' AND coalesce(pg_catalog.to_jsonb(p) OPERATOR(pg_catalog.->>) 'prosqlbody', '') OPERATOR(pg_catalog.~) ':commandType [45] ' AS parsed
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_language AS l ON l.oid OPERATOR(pg_catalog.=) p.prolang AND l.lanname OPERATOR(pg_catalog.<>) ALL (ARRAY['c', 'internal']::pg_catalog.name[])
   WHERE p.oid OPERATOR(pg_catalog.>=) 16384
), deletes AS (
  -- Those that may delete: their source has one of these words, comments count too; or the name of such a function.
  WITH RECURSIVE deletes (oid, name) AS (
    SELECT f.oid, f.name FROM source AS f
     WHERE f.parsed OR f.text OPERATOR(pg_catalog.~) '[[:<:]](delete|truncate|merge|execute)[[:>:]]'
    UNION
    SELECT m.oid, m.name
      FROM deletes AS d
      JOIN (SELECT f.oid, f.name, w.word FROM source AS f
             CROSS JOIN LATERAL pg_catalog.regexp_split_to_table(f.text, '[][:space:][(){}<>=+*/|&^%!~@#?:;,."''`-]+') AS w (word)
           ) AS m ON m.word OPERATOR(pg_catalog.=) d.name
  )
  SELECT oid FROM deletes
)
SELECT g.*, pg_catalog.concat(n.nspname, '.', p.proname) AS function
  FROM pg_catalog.pg_trigger AS g
  JOIN pg_catalog.pg_proc AS p ON p.oid OPERATOR(pg_catalog.=) g.tgfoid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
 WHERE NOT g.tgisinternal AND g.tgenabled OPERATOR(pg_catalog.=) ANY (ARRAY['O', 'A'])
   AND coalesce((pg_catalog.to_jsonb(g) OPERATOR(pg_catalog.->>) 'tgparentid')::pg_catalog.oid, 0) OPERATOR(pg_catalog.=) 0
   AND (g.tgtype OPERATOR(pg_catalog.&) 56::pg_catalog.int2) OPERATOR(pg_catalog.<>) 0
   AND g.tgfoid OPERATOR(pg_catalog.=) ANY (SELECT oid FROM deletes)
