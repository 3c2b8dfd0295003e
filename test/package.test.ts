/** The package as npm makes it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { workspace } from './config/workspace.js';

test('the package has the program, and the documents and what they link to, and not what benchmarks and tests were compiled to', () => {
  const manifest = readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8');
  const made = ['dist/cli.js', 'dist/plan/plan.js', 'config/pgcascade.yaml', 'CHANGELOG.md'];
  const linked = ['README.md', 'CONTRIBUTING.md', 'LICENSE', 'docs/errors.md', 'examples/compose.yaml'];
  const others = ['dist/bench/main.js', 'dist/test/twin/main.js', 'dist/src/cli.js', 'test/x.test.ts'];
  const files = Object.fromEntries([...made, ...linked, ...others].map((path) => [path, '']));
  const cwd = workspace({ ...files, 'package.json': manifest });
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd });
  const [{ files: packed }] = JSON.parse(String(output)) as [{ files: { path: string }[] }];
  expect(packed.map(({ path }) => path).sort()).toEqual([...made, ...linked, 'package.json'].sort());
});
