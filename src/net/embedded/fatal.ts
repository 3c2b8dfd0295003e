import { errorResponse } from '../../wire/backend.js';

/** Why a session ends: the last thing its client is told. */
export class Fatal extends Error {
  /** A whole ErrorResponse of severity FATAL. */
  readonly response: Buffer;

  private constructor(message: string, response: Buffer) {
    super(message);
    this.response = response;
  }

  static of(sqlstate: string, message: string): Fatal {
    const fields = new Map([
      ['S', 'FATAL'],
      ['V', 'FATAL'],
      ['C', sqlstate],
      ['M', message],
    ]);
    return new Fatal(message, errorResponse(fields));
  }

  /** An error of the server that ends the session: the same message, with FATAL in place of ERROR, which is as long. */
  static raise(response: Buffer): Fatal {
    const raised = response.toString('latin1').replace('SERROR\0VERROR\0', 'SFATAL\0VFATAL\0');
    return new Fatal('the embedded database refused an internal statement', Buffer.from(raised, 'latin1'));
  }
}
