/**
 * Five orgs, their users, and what hangs on these: orgs 1 to 3 can be deleted; 4 has an invoice (NO ACTION), 5 a user with a
 * badge (RESTRICT).
 */
export const SAMPLE_ROWS = `
  INSERT INTO orgs SELECT i, 'org ' || i FROM generate_series(1, 5) i;
  INSERT INTO users SELECT 10 * i + j, i FROM generate_series(1, 5) i, generate_series(1, 2) j;
  INSERT INTO posts SELECT 10 * id + j, id FROM users, generate_series(1, 3) j;
  INSERT INTO notes SELECT id, id FROM users;
  INSERT INTO invoices VALUES (1, 4);
  INSERT INTO badges VALUES (1, 52);
  INSERT INTO alone SELECT i, 'é' FROM generate_series(1, 5) i;`;
