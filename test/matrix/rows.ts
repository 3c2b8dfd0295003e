/** What the matrix is made of: each row is one login of one client. */

export const CLIENTS = ['psql', 'psycopg', 'node-postgres', 'pgjdbc', 'asyncpg'] as const;
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
/**
 * What a server does about TLS, a proxy or a PostgreSQL: it has none, has it for who wants it, takes nobody without it, or takes
 * nobody without it and presents a certificate of another name.
 */
export const PEERS = ['without', 'offers', 'demands', 'misnamed'] as const;
/** `auth.mode` of the proxy. `none`: there is no proxy, which shows what PostgreSQL itself does. */
export const AUTH_MODES = ['relay', 'proxy', 'cert', 'none'] as const;
/**
 * How PostgreSQL wants to know who somebody is: `pg_hba.conf` has a user for each. `plus` is SCRAM of a client that wants channel
 * binding, as far as its driver can: channel_binding=require.
 */
export const METHODS = ['password', 'md5', 'scram', 'plus'] as const;

export type ClientName = (typeof CLIENTS)[number];
export type SslMode = (typeof SSL_MODES)[number];
export type Peer = (typeof PEERS)[number];
export type AuthMode = (typeof AUTH_MODES)[number];
export type Method = (typeof METHODS)[number];

export interface Row {
  readonly client: ClientName;
  /** Of the client. */
  readonly sslmode: SslMode;
  /** Whom the client connects to: what `tls` of the proxy says, or PostgreSQL itself. */
  readonly front: Peer;
  readonly auth: AuthMode;
  /** In the URL of `upstream`. */
  readonly upstream: SslMode;
  /** The PostgreSQL behind the proxy. */
  readonly server: Peer;
  readonly method: Method;
}

/** A row without its client. */
export type Setting = Omit<Row, 'client'>;

const MODES = ['relay', 'proxy', 'cert'] as const;

/** `auth.mode: cert` where clients get no TLS is no configuration: check-config refuses it. */
function canBeConfigured({ auth, front }: Setting): boolean {
  return auth !== 'cert' || front !== 'without';
}

function combined(fronts: readonly Peer[], upstreams: readonly SslMode[], servers: readonly Peer[]) {
  return fronts.flatMap((front) =>
    servers.flatMap((server) =>
      upstreams.flatMap((upstream) =>
        MODES.flatMap((auth) =>
          SSL_MODES.flatMap((sslmode) =>
            METHODS.map((method): Setting => ({ sslmode, front, auth, upstream, server, method })),
          ),
        ),
      ),
    ),
  );
}

/**
 * Each with each. What a certificate of another name does is found out on either way, and does not depend on what there is on
 * the other one.
 */
export function allSettings(): readonly Setting[] {
  const usual = PEERS.filter((peer) => peer !== 'misnamed');
  return [
    ...combined(usual, SSL_MODES, usual),
    ...combined(['misnamed'], ['require'], ['offers']),
    ...combined(['offers'], SSL_MODES, ['misnamed']),
  ].filter(canBeConfigured);
}

/** Without a proxy. A PostgreSQL under another name is what the clients' own tests look at. */
export function directSettings(): readonly Setting[] {
  return PEERS.filter((peer) => peer !== 'misnamed').flatMap((front) =>
    SSL_MODES.flatMap((sslmode) =>
      METHODS.map(
        (method): Setting => ({ sslmode, front, auth: 'none', upstream: 'disable', server: front, method }),
      ),
    ),
  );
}

/**
 * As few settings as have every two values together that any setting has, found greedily: each adds the most pairs of those that
 * are left. The same at every call.
 */
export function pairwise(settings: readonly Setting[]): readonly Setting[] {
  const candidates = settings.map((setting) => ({ setting, pairs: pairsOf(setting) }));
  const left = new Set(candidates.flatMap(({ pairs }) => pairs));
  const chosen: Setting[] = [];
  while (left.size > 0) {
    let best: (typeof candidates)[number] | undefined;
    let most = 0;
    for (const candidate of candidates) {
      const count = candidate.pairs.filter((pair) => left.has(pair)).length;
      if (count > most) [best, most] = [candidate, count];
    }
    if (!best) break;
    chosen.push(best.setting);
    for (const pair of best.pairs) left.delete(pair);
  }
  return chosen;
}

function pairsOf(setting: Setting): readonly string[] {
  const values = Object.entries(setting).map(([name, value]) => `${name}=${value}`);
  return values.flatMap((one, i) => values.slice(i + 1).map((other) => `${one} ${other}`));
}

/** For the titles of tests, and the list of what is not as promised. */
export function describeRow({ client, sslmode, front, auth, upstream, server, method }: Row): string {
  const to = auth === 'none' ? 'PostgreSQL' : `auth.mode ${auth}`;
  const behind = auth === 'none' ? '' : `, upstream sslmode=${upstream} to a server that ${VERBS[server]}`;
  return `${client} sslmode=${sslmode} to ${to} that ${VERBS[front]}${behind}, ${method}`;
}

const VERBS: Readonly<Record<Peer, string>> = {
  without: 'has no TLS',
  offers: 'offers TLS',
  demands: 'demands TLS',
  misnamed: 'demands TLS under another name',
};
