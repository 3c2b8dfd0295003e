/**
 * What has to come of a row, computed from what is documented: libpq-ssl.html, libpq-connect.html, auth-pg-hba-conf.html and
 * sasl-authentication.html of PostgreSQL, drivers.ts for the clients, docs/running.md of the proxy. Nothing here was seen.
 */
import { DRIVERS, type Driver, type Way } from './drivers.js';
import type { Peer, Row, SslMode } from './rows.js';

export type Expected =
  /** `server`: whether the connection to PostgreSQL is encrypted; `client`: that of the client. */
  { readonly kind: 'connects'; readonly client: boolean; readonly server: boolean } | Refused;

interface Refused {
  readonly kind: 'refused';
  /** Of the error that the client is sent; undefined where the client itself goes no further. */
  readonly sqlstate: string | undefined;
  readonly told: RegExp;
}

export function expected(row: Row): Expected {
  const driver = DRIVERS[row.client];
  const ways = driver.ways[row.sslmode];
  if (!ways) throw new Error(`${row.client} has no sslmode=${row.sslmode}`);
  let shown: Refused | undefined;
  for (const way of ways) {
    const outcome = attempt(row, driver, way);
    if (outcome.kind === 'connects') return outcome;
    shown = shown && driver.shows === 'first' ? shown : outcome;
    if (outcome.sqlstate === undefined || !driver.goesOnAfter.test(outcome.sqlstate)) break;
  }
  if (!shown) throw new Error('an sslmode has an attempt');
  return shown;
}

/** One attempt of the client's: first its connection, and then its login. */
function attempt(row: Row, driver: Driver, way: Way): Expected {
  const { front, sslmode, auth } = row;
  const hasTls = front !== 'without';
  if (way === 'tls' && !hasTls && !driver.goesOnWithoutTls.includes(sslmode))
    return byClient(driver.says.noTls);
  const isEncrypted = way === 'tls' && hasTls;
  if (isEncrypted && front === 'misnamed' && sslmode === 'verify-full') return byClient(driver.says.misnamed);
  if (!isEncrypted && demandsTls(front))
    return auth === 'none' ? NO_ENTRY : refused('28000', /this server takes encrypted connections only/);
  return logIn(row, driver, isEncrypted);
}

function logIn(row: Row, driver: Driver, isEncrypted: boolean): Expected {
  const binding = driver.binding[row.method === 'plus' ? 'wanted' : 'usual'];
  const isRequired = binding === 'require';
  const client = { kind: 'connects', client: isEncrypted } as const;
  switch (row.auth) {
    case 'none':
      // PostgreSQL offers channel binding with TLS.
      return isRequired && !isEncrypted ? UNBOUND : { ...client, server: isEncrypted };
    case 'proxy': {
      if (isRequired && !isEncrypted) return UNBOUND;
      return proved(row, isEncrypted);
    }
    case 'cert': {
      if (!isEncrypted) return refused('28000', /connection requires a valid client certificate/);
      const outcome = proved(row, isEncrypted);
      // "require means that the connection must employ channel binding": with a certificate there is no SCRAM.
      return outcome.kind === 'connects' && isRequired ? UNBOUND : outcome;
    }
    case 'relay': {
      const leg = upstreamLeg(row.upstream, row.server);
      if (leg.kind === 'refused') return leg;
      const isScram = row.method === 'scram' || row.method === 'plus';
      if (isScram && isRequired) return UNBOUND;
      // The client misses an offer, and says so; PostgreSQL, which has made one, takes that for an attack.
      const missesOffer = binding === 'prefer' && (isEncrypted || driver.missesOfferInClear === true);
      if (isScram && missesOffer && leg.isEncrypted)
        return refused('28000', /SCRAM is bound to one connection/);
      return { ...client, server: leg.isEncrypted };
    }
    default:
      return row.auth satisfies never;
  }
}

/** The client is known; the proxy logs in to PostgreSQL, with a password or a key that the file of users has. */
function proved(row: Row, isEncrypted: boolean): Expected {
  const leg = upstreamLeg(row.upstream, row.server);
  if (leg.kind === 'refused') return leg;
  // The proxy tells nobody a password in clear.
  if (row.method === 'password' && !leg.isEncrypted)
    return refused('08004', /asks for a password in clear text on a connection that is not encrypted/);
  return { kind: 'connects', client: isEncrypted, server: leg.isEncrypted };
}

/** The proxy is to PostgreSQL what libpq would be, up to the server's first answer to the startup packet. */
function upstreamLeg(sslmode: SslMode, server: Peer): { kind: 'leg'; isEncrypted: boolean } | Refused {
  const { ways, goesOnWithoutTls, says } = DRIVERS.psql;
  let last: Refused = NO_ENTRY;
  for (const way of ways[sslmode] ?? []) {
    const hasTls = server !== 'without';
    if (way === 'tls' && !hasTls && !goesOnWithoutTls.includes(sslmode)) return refused('08001', says.noTls);
    const isEncrypted = way === 'tls' && hasTls;
    if (isEncrypted && server === 'misnamed' && sslmode === 'verify-full')
      return refused('08001', /Hostname\/IP does not match certificate's altnames/);
    if (isEncrypted || !demandsTls(server)) return { kind: 'leg', isEncrypted };
    last = NO_ENTRY;
  }
  return last;
}

function demandsTls(peer: Peer): boolean {
  return peer === 'demands' || peer === 'misnamed';
}

function byClient(told: RegExp): Refused {
  return { kind: 'refused', sqlstate: undefined, told };
}

function refused(sqlstate: string, told: RegExp): Refused {
  return { kind: 'refused', sqlstate, told };
}

const NO_ENTRY = refused('28000', /no pg_hba.conf entry for host .* no encryption/);
/** libpq's words are others with and without TLS, and where SCRAM was not asked for. */
const UNBOUND = byClient(/channel binding (is )?required/);
