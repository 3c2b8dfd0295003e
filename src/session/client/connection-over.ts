/** The client has been told, in PostgreSQL's words, that its connection is over. */
export class ConnectionOver extends Error {}
