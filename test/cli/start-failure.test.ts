import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileTarget } from '../../src/audit/line-writer.js';
import { startFailure } from '../../src/cli/start-failure.js';
import { loadConfig } from '../../src/config/load.js';
import { workspace } from '../config/workspace.js';

const defaults = () => loadConfig({ flags: {}, env: {}, cwd: workspace() });

describe('a start that fails', () => {
  test('names the address that is taken and the key to change', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const failed = createServer().listen(port, '127.0.0.1');
    const [error] = await once(failed, 'error');
    taken.close();

    const at = `127.0.0.1:${port}`;
    expect(startFailure(error, defaults())).toBe(
      `cannot listen on ${at}: another program does. End it, or choose another address with listen (--listen)`,
    );
    expect(startFailure(error, { ...defaults(), admin: { listen: at, quit: false } })).toContain(
      'PGCASCADE_ADMIN_LISTEN',
    );
  });

  test('names the host that has no address, and the key it is of', () => {
    const error = Object.assign(new Error(), { code: 'ENOTFOUND', hostname: 'h.invalid' });
    const reason = 'cannot listen on h.invalid: no address is known for the name. Choose another with';
    const listened = { ...defaults(), listen: ['h.invalid:1'] };
    expect(startFailure(error, listened)).toBe(`${reason} listen (--listen)`);
    expect(startFailure(error, defaults())).toBe(`${reason} admin.listen (PGCASCADE_ADMIN_LISTEN)`);
  });

  test('names a file where a socket directory should be', async () => {
    const path = join(workspace({ file: '' }), 'file');
    const error = await mkdir(path, { recursive: true }).catch((it: unknown) => it);
    expect(startFailure(error, defaults())).toContain(`cannot listen in ${path}: it is not a directory`);
  });

  test('names the record of cascades that cannot be opened, and not an address', async () => {
    const folder = workspace();
    for (const [path, reason] of [
      [folder, 'illegal operation on a directory'],
      [join(folder, 'none', 'audit'), 'no such file or directory'],
    ] as const) {
      const error = await fileTarget(path).catch((it: unknown) => it);
      const config = { ...defaults(), audit: { path, required: true } };
      expect(startFailure(error, config)).toBe(`audit.path: ${path} cannot be opened: ${reason}`);
    }
    const denied = Object.assign(new Error(), {
      code: 'EACCES',
      errno: -13,
      syscall: 'open',
      path: '/var/log/audit',
    });
    const config = { ...defaults(), audit: { path: '/var/log/audit', required: false } };
    expect(startFailure(denied, config)).toBe(
      'audit.path: /var/log/audit cannot be opened: permission denied',
    );
  });

  test('names a socket directory that is not there', async () => {
    const failed = createServer().listen('/no/such/.s.PGSQL.6432');
    const [error] = await once(failed, 'error');
    expect(startFailure(error, defaults())).toMatch(
      /^cannot listen on \/no\/such\/.s.PGSQL.6432: not permitted/,
    );
  });
});
