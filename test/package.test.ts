/** The package as npm makes it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { workspace } from './config/workspace.js';

test('the package has the program, and the documents and what they link to, and not what benchmarks and tests were compiled to', () => {
  const made = ['dist/cli.js', 'dist/plan/plan.js', 'config/pgcascade.yaml', 'CHANGELOG.md'];
  const linked = ['README.md', 'CONTRIBUTING.md', 'LICENSE', 'docs/errors.md', 'examples/compose.yaml'];
  const others = ['dist/bench/main.js', 'dist/test/twin/main.js', 'dist/src/cli.js', 'test/x.test.ts'];
  const files = Object.fromEntries([...made, ...linked, ...others].map((path) => [path, '']));
  const cwd = workspace({ ...files, 'package.json': manifest() });
  expect(packed(cwd, '--ignore-scripts')).toEqual([...made, ...linked, 'package.json'].sort());
});

test('the package is made of the sources as they are: what an earlier build has left is not in it', () => {
  const made = JSON.parse(manifest()) as { scripts: Record<string, string> };
  const build = "fs.mkdirSync('dist');fs.writeFileSync('dist/cli.js','')";
  made.scripts.build = `node -e "${build}"`;
  const cwd = workspace({ 'package.json': JSON.stringify(made), 'dist/renamed.js': '' });
  // Whoever runs the tests may have scripts switched off, as CI has for the build before them.
  expect(packed(cwd, '--no-ignore-scripts')).toEqual(['dist/cli.js', 'package.json']);
});

function manifest(): string {
  return readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8');
}

/** The paths that npm packs in a folder. */
function packed(cwd: string, ...flags: readonly string[]): readonly string[] {
  const output = String(
    execFileSync('npm', ['pack', '--dry-run', '--json', ...flags], { cwd, stdio: 'pipe' }),
  );
  // What npm says of scripts comes before the JSON.
  const [{ files }] = JSON.parse(output.slice(output.search(/^\[$/m))) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path).sort();
}
