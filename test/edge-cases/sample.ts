import { SAMPLE_ROWS } from '../support/sample-rows.js';

/** Five orgs, their users, and what hangs on these: 1 to 3 can be deleted; 4 has an invoice, 5 a user with a badge. */
export const SAMPLE = `
  CREATE TABLE orgs (id int PRIMARY KEY, name text, big bigint DEFAULT 7);
  CREATE TABLE users (id int PRIMARY KEY, org_id int REFERENCES orgs ON DELETE CASCADE KEYS);
  CREATE TABLE posts (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE KEYS);
  CREATE TABLE notes (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE SET NULL KEYS);
  CREATE TABLE invoices (id int PRIMARY KEY, org_id int REFERENCES orgs KEYS);
  CREATE TABLE badges (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE RESTRICT KEYS);
  CREATE TABLE alone (id int PRIMARY KEY, name text);${SAMPLE_ROWS}`;

/** Puts the rows of the sample back where nothing but rows was changed. */
export const SAMPLE_AGAIN = `TRUNCATE orgs, users, posts, notes, invoices, badges, alone;${SAMPLE_ROWS}`;
