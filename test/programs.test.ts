/** The programs beside these tests, compiled as their scripts compile them: the benchmarks, and the tests that take longer. */
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
// What vitest runs is no program of ours.
const programs = Object.entries(scripts).filter(
  ([name, script]) => (name === 'bench' || name.startsWith('test:')) && !script.includes('vitest'),
);
const proxies = readdirSync(new URL('../bench', import.meta.url)).filter((file) => /-proxy\.ts$/.test(file));

beforeAll(() => {
  // Without the build of src before it: other tests run what is in dist.
  execFileSync('npm', ['run', '--silent', 'build:programs'], { cwd: root });
});

test.each(programs)('npm run %s loads, and says how it is used', (name, script) => {
  const [node, ...args] = script.split(' && ').at(-1)?.split(' ') ?? [];
  expect(node).toBe('node');
  const options = { cwd: root, encoding: 'utf8' } as const;
  const helped = spawnSync(process.execPath, [...args, '--help'], options);
  expect(helped).toMatchObject({ status: 0, stderr: '' });
  expect(helped.stdout).toMatch(new RegExp(`^usage: npm run ${name} -- `));
  expect(spawnSync(process.execPath, [...args, '--no-such-option'], options).status).toBe(2);
});

test.each(proxies)('the proxy of a benchmark starts: %s', async (file) => {
  const upstream = `postgres://127.0.0.1:${inject('postgres').port}`;
  // One takes a configuration, the other its upstream.
  const argument = file.startsWith('idle')
    ? JSON.stringify({ listen: '127.0.0.1:0', upstream, admin: null })
    : upstream;
  const proxy = fork(new URL(`../dist/bench/${file.replace('.ts', '.js')}`, import.meta.url), [argument]);
  const ended = once(proxy, 'exit');
  onTestFinished(async () => {
    proxy.kill('SIGKILL');
    await ended;
  });
  expect(await Promise.race([once(proxy, 'message'), ended])).toEqual([
    expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    undefined,
  ]);
});
