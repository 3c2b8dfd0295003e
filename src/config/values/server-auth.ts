/** What a login to the database has to be, as libpq says it in a URL (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-REQUIRE-AUTH). */
import { oneOf } from './server-tls.js';
import { quote, ValueError } from './values.js';

/** Under libpq's own names. */
export interface ServerAuth {
  /** Undefined: the server may ask for anything. */
  readonly require_auth: RequiredAuth | undefined;
  readonly channel_binding: ChannelBinding;
}

/** By what the server may ask the client who it is. */
export interface RequiredAuth {
  /** As the URL says it, for messages. */
  readonly text: string;
  readonly allowed: readonly AuthMethod[];
  /** Whether it says what may not be: then mechanisms that libpq does not know may be used. */
  readonly isNegated: boolean;
  /** Whether it may let in without asking: `none` of the list. */
  readonly mayAskNothing: boolean;
}

export type AuthMethod = (typeof METHODS)[number];
export type ChannelBinding = (typeof BINDINGS)[number];

const METHODS = ['password', 'md5', 'gss', 'sspi', 'scram-sha-256', 'oauth'] as const;
const BINDINGS = ['disable', 'prefer', 'require'] as const;

/** Those by which the proxy itself can log in. */
const OWN: readonly AuthMethod[] = ['password', 'md5', 'scram-sha-256'];

/** The parameters of a URL that concern logins. */
export const AUTH_PARAMETERS = ['require_auth', 'channel_binding'] as const;

/**
 * @param parameters those of a URL
 * @returns undefined where they say nothing of logins
 * @throws ValueError for a value that is none, and for two of which no login could fulfil both
 */
export function parseServerAuth(parameters: ReadonlyMap<string, string>): ServerAuth | undefined {
  const text = parameters.get('require_auth');
  const require_auth = text ? parseRequiredAuth(text) : undefined;
  const said = oneOf(BINDINGS, parameters, 'channel_binding');
  if (said === 'require' && require_auth && !require_auth.allowed.includes('scram-sha-256'))
    throw new ValueError(
      `has channel_binding=require, and require_auth=${require_auth.text}: only scram-sha-256 can be bound`,
    );
  return require_auth || said ? { require_auth, channel_binding: said ?? 'prefer' } : undefined;
}

/** Whether the proxy itself can log in where the server may ask by these alone. */
export function allowsOwn({ allowed, mayAskNothing }: RequiredAuth): boolean {
  return mayAskNothing || OWN.some((method) => allowed.includes(method));
}

/**
 * As libpq reads it (pqConnectOptions2 in fe-connect.c): methods with commas between them, all or none of them negated by a `!`.
 * `none` stands for a server that does not ask, which one that negates allows unless it says `!none`.
 */
function parseRequiredAuth(text: string): RequiredAuth {
  const isNegated = text.startsWith('!');
  const said = new Set<AuthMethod | 'none'>();
  for (const part of text.split(',')) {
    if (part.startsWith('!') !== isNegated)
      throw new ValueError(`has require_auth ${quote(text)}, in which either all methods have a "!" or none`);
    const word = isNegated ? part.slice(1) : part;
    const method = word === 'none' ? word : METHODS.find((each) => each === word);
    if (!method)
      throw new ValueError(
        `has require_auth ${quote(text)}: ${quote(word)} is not one of ${METHODS.join(', ')}, none`,
      );
    if (said.has(method)) throw new ValueError(`has require_auth ${quote(text)}, with ${method} twice`);
    said.add(method);
  }
  return {
    text,
    allowed: METHODS.filter((method) => said.has(method) !== isNegated),
    isNegated,
    mayAskNothing: said.has('none') !== isNegated,
  };
}
