/** The names of SCRAM's mechanisms, and of the one way to bind them that PostgreSQL has. */
export const PLAIN = 'SCRAM-SHA-256';
export const PLUS = 'SCRAM-SHA-256-PLUS';
/** RFC 5929, section 4: the hash of the server's certificate. */
export const END_POINT = 'tls-server-end-point';
