-- The schema of the clients' suites, made twice: KEYS stands where keys are enforced, or NOT ENFORCED.
CREATE TABLE orgs (id int PRIMARY KEY, name text NOT NULL, version int NOT NULL DEFAULT 1);
CREATE TABLE users (id int PRIMARY KEY, name text, version int NOT NULL DEFAULT 1,
  org_id int CONSTRAINT users_org_fkey REFERENCES orgs ON DELETE CASCADE KEYS);
CREATE TABLE posts (id int PRIMARY KEY,
  user_id int CONSTRAINT posts_user_fkey REFERENCES users ON DELETE CASCADE KEYS);
CREATE TABLE notes (id int PRIMARY KEY,
  user_id int CONSTRAINT notes_user_fkey REFERENCES users ON DELETE SET NULL KEYS);
CREATE TABLE badges (id int PRIMARY KEY,
  user_id int CONSTRAINT badges_user_fkey REFERENCES users ON DELETE RESTRICT KEYS);
CREATE TABLE invoices (id int PRIMARY KEY,
  org_id int CONSTRAINT invoices_org_fkey REFERENCES orgs KEYS);
CREATE INDEX ON users (org_id);
CREATE INDEX ON posts (user_id);

-- Keys of other types than int.
CREATE TABLE accounts (id bigint PRIMARY KEY);
CREATE TABLE entries (id int PRIMARY KEY, account_id bigint REFERENCES accounts ON DELETE CASCADE KEYS);
CREATE TABLE documents (id uuid PRIMARY KEY);
CREATE TABLE pages (id int PRIMARY KEY, document_id uuid REFERENCES documents ON DELETE CASCADE KEYS);
CREATE TABLE topics (code text PRIMARY KEY, id int);
CREATE TABLE labels (id int PRIMARY KEY, topic text REFERENCES topics ON DELETE CASCADE KEYS);

-- What mappers make of inheritance and of many-to-many.
CREATE TABLE people (id int PRIMARY KEY, kind text NOT NULL);
CREATE TABLE managers (id int PRIMARY KEY REFERENCES people ON DELETE CASCADE KEYS, bonus int);
CREATE TABLE teams (id int PRIMARY KEY);
CREATE TABLE players (id int PRIMARY KEY);
CREATE TABLE members (team_id int REFERENCES teams ON DELETE CASCADE KEYS,
  player_id int REFERENCES players ON DELETE CASCADE KEYS, PRIMARY KEY (team_id, player_id));
CREATE TABLE nodes (id int PRIMARY KEY, name text,
  parent_id int CONSTRAINT nodes_parent_fkey REFERENCES nodes ON DELETE CASCADE KEYS);

-- Orgs 1 to 3 can be deleted; 4 has an invoice (NO ACTION), 5 a user with a badge (RESTRICT).
-- Without triggers, as there is nothing to check; and DELETE, as TRUNCATE is slow on small tables.
CREATE FUNCTION refill() RETURNS void LANGUAGE sql SET session_replication_role = replica AS $$
  DELETE FROM orgs; DELETE FROM users; DELETE FROM posts; DELETE FROM notes; DELETE FROM badges;
  DELETE FROM invoices; DELETE FROM accounts; DELETE FROM entries; DELETE FROM documents; DELETE FROM pages;
  DELETE FROM topics; DELETE FROM labels; DELETE FROM people; DELETE FROM managers; DELETE FROM teams;
  DELETE FROM players; DELETE FROM members; DELETE FROM nodes;
  INSERT INTO orgs SELECT i, 'org ' || i FROM generate_series(1, 5) AS i;
  INSERT INTO users SELECT 10 * i + j, 'user ' || j, 1, i FROM generate_series(1, 5) AS i, generate_series(1, 2) AS j;
  INSERT INTO posts SELECT 10 * id + j, id FROM users, generate_series(1, 2) AS j;
  INSERT INTO notes SELECT id, id FROM users;
  INSERT INTO badges VALUES (1, 52);
  INSERT INTO invoices VALUES (1, 4);
  INSERT INTO accounts SELECT 9007199254740993 + i FROM generate_series(0, 3) AS i;
  INSERT INTO entries SELECT i, 9007199254740993 + i FROM generate_series(0, 3) AS i;
  INSERT INTO documents SELECT ('00000000-0000-4000-8000-00000000000' || i)::uuid FROM generate_series(1, 3) AS i;
  INSERT INTO pages SELECT i, ('00000000-0000-4000-8000-00000000000' || i)::uuid FROM generate_series(1, 3) AS i;
  INSERT INTO topics VALUES ('plain', 1), ('it''s', 2), ('back\slash', 3), ('größe', 4);
  INSERT INTO labels VALUES (1, 'plain'), (2, 'it''s'), (3, 'back\slash'), (4, 'größe');
  INSERT INTO people SELECT i, CASE WHEN i < 3 THEN 'manager' ELSE 'person' END FROM generate_series(1, 4) AS i;
  INSERT INTO managers SELECT i, 100 * i FROM generate_series(1, 2) AS i;
  INSERT INTO teams SELECT generate_series(1, 2);
  INSERT INTO players SELECT generate_series(1, 3);
  INSERT INTO members SELECT i, j FROM generate_series(1, 2) AS i, generate_series(1, 3) AS j;
  INSERT INTO nodes SELECT id, 'node ' || id, parent FROM (VALUES
    (1, NULL), (2, 1), (3, 1), (4, 2), (5, 2), (6, 4), (7, NULL), (8, 7), (9, 9)) AS tree (id, parent);
$$;

-- The rows of every table in a line: `table id id …`, and apart from them the notes whose user was nulled.
CREATE FUNCTION contents() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', name, ids), E'\n' ORDER BY name) FROM (
    SELECT 'orgs' AS name, string_agg(id::text, ' ' ORDER BY id) AS ids FROM orgs
    UNION ALL SELECT 'users', string_agg(id::text, ' ' ORDER BY id) FROM users
    UNION ALL SELECT 'parentless', string_agg(id::text, ' ' ORDER BY id) FROM users WHERE org_id IS NULL
    UNION ALL SELECT 'posts', string_agg(id::text, ' ' ORDER BY id) FROM posts
    UNION ALL SELECT 'notes', string_agg(id::text, ' ' ORDER BY id) FROM notes
    UNION ALL SELECT 'nulled', string_agg(id::text, ' ' ORDER BY id) FROM notes WHERE user_id IS NULL
    UNION ALL SELECT 'badges', string_agg(id::text, ' ' ORDER BY id) FROM badges
    UNION ALL SELECT 'invoices', string_agg(id::text, ' ' ORDER BY id) FROM invoices
    UNION ALL SELECT 'accounts', string_agg((id - 9007199254740993)::text, ' ' ORDER BY id) FROM accounts
    UNION ALL SELECT 'entries', string_agg(id::text, ' ' ORDER BY id) FROM entries
    UNION ALL SELECT 'documents', string_agg(right(id::text, 1), ' ' ORDER BY id) FROM documents
    UNION ALL SELECT 'pages', string_agg(id::text, ' ' ORDER BY id) FROM pages
    UNION ALL SELECT 'topics', string_agg(id::text, ' ' ORDER BY id) FROM topics
    UNION ALL SELECT 'labels', string_agg(id::text, ' ' ORDER BY id) FROM labels
    UNION ALL SELECT 'people', string_agg(id::text, ' ' ORDER BY id) FROM people
    UNION ALL SELECT 'managers', string_agg(id::text, ' ' ORDER BY id) FROM managers
    UNION ALL SELECT 'teams', string_agg(id::text, ' ' ORDER BY id) FROM teams
    UNION ALL SELECT 'players', string_agg(id::text, ' ' ORDER BY id) FROM players
    UNION ALL SELECT 'members', string_agg(concat(team_id, player_id), ' ' ORDER BY team_id, player_id) FROM members
    UNION ALL SELECT 'nodes', string_agg(id::text, ' ' ORDER BY id) FROM nodes
    UNION ALL SELECT 'roots', string_agg(id::text, ' ' ORDER BY id) FROM nodes WHERE parent_id IS NULL)
$$;
