/** TLS between tests and a proxy: the files that its configuration names. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Authority, type Certificate, createAuthority } from './certificates.js';

/** A folder with the files, and what is in them. */
export interface TlsFolder {
  readonly authority: Authority;
  /** `cert` and `key` of the configuration, of a server that is called localhost and 127.0.0.1; and its authority. */
  readonly files: { readonly cert: string; readonly key: string };
  readonly rootPath: string;
  /** Writes a file that nobody else may read. @returns its path */
  put(name: string, text: string): string;
  /** What is in a file. */
  read(name: string): string;
  /** Puts another certificate into the place of the first. */
  replace(certificate: Certificate): void;
  remove(): void;
}

export async function createTlsFolder(): Promise<TlsFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'pgcascade-tls-'));
  const put = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const authority = await createAuthority('tests');
  const replace = ({ cert, key }: Certificate) => {
    put('server.key', key);
    return put('server.crt', cert);
  };
  const cert = replace(
    await authority.server([
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
    ]),
  );
  return {
    authority,
    files: { cert, key: join(folder, 'server.key') },
    rootPath: put('root.crt', authority.cert),
    put,
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    replace: (certificate) => void replace(certificate),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
