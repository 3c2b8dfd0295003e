/**
 * The message types of protocol 3.0 and 3.2, by the names the documentation gives them
 * (https://www.postgresql.org/docs/18/protocol-message-formats.html).
 */

const code = (letter: string): number => letter.charCodeAt(0);

/** What a client sends after startup. The numbers are written out so that the compiler knows whether a switch has all. */
export const Frontend = {
  Bind: 0x42, // B
  Close: 0x43, // C
  CopyData: 0x64, // d
  CopyDone: 0x63, // c
  CopyFail: 0x66, // f
  Describe: 0x44, // D
  Execute: 0x45, // E
  Flush: 0x48, // H
  FunctionCall: 0x46, // F
  Parse: 0x50, // P
  /** PasswordMessage, SASLInitialResponse, SASLResponse and GSSResponse share it. */
  Password: 0x70, // p
  Query: 0x51, // Q
  Sync: 0x53, // S
  Terminate: 0x58, // X
} as const;

export type FrontendType = (typeof Frontend)[keyof typeof Frontend];

/** What a server sends. */
export const Backend = {
  Authentication: code('R'),
  BackendKeyData: code('K'),
  BindComplete: code('2'),
  CloseComplete: code('3'),
  CommandComplete: code('C'),
  CopyBothResponse: code('W'),
  CopyData: code('d'),
  CopyDone: code('c'),
  CopyInResponse: code('G'),
  CopyOutResponse: code('H'),
  DataRow: code('D'),
  EmptyQueryResponse: code('I'),
  ErrorResponse: code('E'),
  FunctionCallResponse: code('V'),
  NegotiateProtocolVersion: code('v'),
  NoData: code('n'),
  NoticeResponse: code('N'),
  NotificationResponse: code('A'),
  ParameterDescription: code('t'),
  ParameterStatus: code('S'),
  ParseComplete: code('1'),
  PortalSuspended: code('s'),
  ReadyForQuery: code('Z'),
  RowDescription: code('T'),
} as const;

export const FRONTEND_TYPES: ReadonlySet<number> = new Set(Object.values(Frontend));
export const BACKEND_TYPES: ReadonlySet<number> = new Set(Object.values(Backend));

/** The largest length field of a server's message, which may send what it likes: the field is an Int32. */
export const LONGEST_BACKEND_MESSAGE = 0x7fffffff;

const SMALL_FRONTEND_TYPES: ReadonlySet<number> = new Set([
  Frontend.Close,
  Frontend.CopyDone,
  Frontend.CopyFail,
  Frontend.Describe,
  Frontend.Execute,
  Frontend.Flush,
  Frontend.Sync,
  Frontend.Terminate,
]);

/** The largest length field that PostgreSQL takes: messages that hold only names are short (SocketBackend in postgres.c). */
export function longestFrontend(type: number): number {
  return SMALL_FRONTEND_TYPES.has(type) ? 10_000 : 0x3ffffffe;
}

/** The transaction status that ReadyForQuery carries. */
export const TransactionStatus = { Idle: code('I'), Open: code('T'), Failed: code('E') } as const;
