import { z } from 'zod';
import { CHOSEN_NAMES } from '../profiles/families/all.js';
import { cascade } from './cascade.js';
import { checkCombinations } from './combinations.js';
import {
  bytes,
  choice,
  duration,
  file,
  graphUrl,
  listen,
  section,
  tcpAddress,
  timeout,
  upstream,
} from './fields.js';
import { EMBEDDED } from './upstream.js';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const graph = section({
  refresh: duration.prefault('1s').describe('How often the foreign keys are compared with the catalog.'),
  url: graphUrl
    .nullable()
    .default(null)
    .describe(
      'The database that tells of changes of its schema (pgcascade install): postgres://user:password@host:port/database, or file:/path of a file that says it.',
    ),
});

const tls = section({
  mode: choice(['disable', 'allow', 'require'])
    .default('disable')
    .describe(
      'disable: clients connect in clear. allow: a client that asks for TLS gets it. require: one that does not is refused, unless it comes by a unix socket.',
    ),
  cert: file
    .nullable()
    .default(null)
    .describe('File of the certificate that clients see, PEM; those that lead to their authority after it.'),
  key: file.nullable().default(null).describe("File of the certificate's private key, PEM."),
  client_ca: file
    .nullable()
    .default(null)
    .describe('File of the authorities that sign the certificates of clients, PEM.'),
  client_crl: file
    .nullable()
    .default(null)
    .describe(
      'File of the lists of revoked certificates, PEM: one of each authority of client_ca, whose clients are refused without one. null: none is looked up.',
    ),
  client_auth: choice(['none', 'want', 'require'])
    .default('none')
    .describe(
      'Certificates of clients: none is asked for; want: one that is presented has to be valid; require: there has to be one.',
    ),
});

const auth = section({
  mode: choice(['relay', 'proxy', 'cert'])
    .default('relay')
    .describe(
      'Who authenticates the client. relay: the database. proxy: pgcascade, by SCRAM. cert: pgcascade, by the certificate of the client.',
    ),
  users: file
    .nullable()
    .default(null)
    .describe(
      "With proxy: a file in the format of PgBouncer's auth_file, with the password or the SCRAM secret of each user. With cert: the passwords with which the database is logged in to.",
    ),
  map: file
    .nullable()
    .default(null)
    .describe(
      'With cert: a file with a line for each user that a certificate stands for: common name and user. Without one, the common name is the user.',
    ),
});

const most = z.int().min(1).nullable().default(null);

const limits = section({
  connections: z.int().min(1).default(1000).describe('Clients at one time; one more is refused with 53300.'),
  per_user: most.describe('Clients of one user at one time. null: as many as connections says.'),
  per_database: most.describe('Clients of one database at one time. null: as many as connections says.'),
  login_timeout: timeout.prefault('10s').describe('How long a client may take until it is logged in.'),
  idle_timeout: timeout
    .nullable()
    .default(null)
    .describe(
      'A session that is idle outside of a transaction for so long is ended with 57P05. null: it may stay idle.',
    ),
  idle_in_transaction: timeout
    .nullable()
    .default(null)
    .describe(
      "A session that is idle in a transaction for so long is told in the log and in the metrics; the server's idle_in_transaction_session_timeout would end it.",
    ),
  tcp_keepalives_idle: timeout
    .nullable()
    .default(null)
    .describe(
      'A client that sends nothing for so long is asked by the system whether it is still there, in whole seconds. null: as the system has it.',
    ),
  message_bytes: bytes
    .prefault('1GiB')
    .describe(
      'The longest message taken from a client, and how much is kept of unfinished ones of all clients together.',
    ),
  drain_timeout: duration
    .prefault('30s')
    .describe('How long sessions may go on after SIGTERM, and shutdown_delay.'),
  shutdown_delay: duration
    .prefault('0s')
    .describe(
      'How long clients are still served after SIGTERM, while /readiness says no: till then load balancers send some.',
    ),
});

const admin = section(
  {
    listen: tcpAddress
      .nullable()
      .prefault('127.0.0.1:9932')
      .describe('Address of probes, metrics and reports (docs/running.md); null turns it off.'),
    quit: z.boolean().default(false).describe('POST /quitquitquit ends the proxy as SIGTERM does, with 0.'),
  },
  { listen: null },
);

const audit = section({
  path: z
    .string()
    .min(1, { error: 'is empty' })
    .nullable()
    .default(null)
    .describe(
      'The file that gets a line of JSON for each cascade, or - for standard output. Then the rows of each table are counted.',
    ),
  required: z
    .boolean()
    .default(false)
    .describe('A cascade whose line could not be written is refused before it is sent.'),
});

const log = section({
  level: choice(LEVELS).default('info').describe('The least severe messages that are written.'),
  format: choice(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('auto is pretty on a terminal, JSON elsewhere.'),
});

/** The whole configuration (docs/configuration.md); its input is what a file says, its output what the program reads. */
export const configSchema = z
  .strictObject({
    listen: listen
      .prefault('127.0.0.1:6432')
      .describe(
        'Where clients connect: host:port, or the directory of a unix socket; one or a list. The host * is every interface, 0.0.0.0 each of IPv4, [::] each of IPv6.',
      ),
    upstream: upstream
      .optional()
      .describe(
        'The database: postgres://host:port, or several hosts, with the parameters of libpq for TLS (sslmode, …), logins (require_auth, …) and the choice of a host (target_session_attrs, …), "embedded", or file:/path of a file that says it. It may be left out where only loopback addresses are listened on: then it is embedded.',
      ),
    profile: choice(['auto', ...CHOSEN_NAMES])
      .default('auto')
      .describe(
        'What the server is (docs/databases.md). auto: it is recognised. A name: it is taken for that, and not asked.',
      ),
    cascade: cascade.describe('Which deletes are expanded, and how.'),
    graph: graph.describe('The foreign-key graph.'),
    tls: tls.describe('TLS towards clients.'),
    auth: auth.describe('Who authenticates clients.'),
    limits: limits.describe('Limits on clients.'),
    admin: admin.describe('The HTTP endpoint for probes, metrics and reports; null turns it off.'),
    audit: audit.describe('A record of cascades.'),
    log: log.describe('Messages on stderr.'),
  })
  .superRefine(checkCombinations)
  .transform(({ upstream = EMBEDDED, ...rest }) => ({ ...rest, upstream }));

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** A loaded configuration. Durations are milliseconds, sizes bytes; names are those of the file. */
export type Config = DeepReadonly<z.output<typeof configSchema>>;
