/** The Dockerfile, read and not run: what it copies is there, and what it starts is what the build makes. */
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../src/config/address.js';
import { readConfig } from '../src/config/load.js';

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const manifest = JSON.parse(read('package.json'));
const stages = readStages(read('Dockerfile'));
const final = stages.at(-1) ?? { name: '', instructions: [] };
const copies = stages.flatMap(({ name, instructions }) =>
  instructions.filter(({ word }) => word === 'COPY').map(({ rest }) => ({ stage: name, ...readCopy(rest) })),
);

describe('every COPY', () => {
  test('from the context takes what is there', () => {
    const sources = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    expect(sources).not.toEqual([]);
    expect(sources.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });

  test('from the context takes what .dockerignore lets through, and all of that is taken', () => {
    const taken = copies.filter(({ from }) => from === undefined).flatMap((copy) => copy.sources);
    const [everything, ...allowed] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(everything).toBe('*');
    expect([...new Set(taken)].sort()).toEqual(allowed.map((line) => line.replace(/^!/, '')).sort());
  });

  test('from a stage takes what that stage makes', () => {
    const made = copies
      .filter(({ from }) => from !== undefined)
      .flatMap((copy) => copy.sources.map((source) => ({ source, products: products(copy.from ?? '') })));
    expect(made).not.toEqual([]);
    expect(made.filter(({ source, products }) => !products.includes(source))).toEqual([]);
  });
});

describe('the image', () => {
  test('starts the program that npm run build makes', () => {
    const entry = JSON.parse(value(final, 'ENTRYPOINT')) as string[];
    const [node, program = ''] = entry;
    expect(node).toBe('node');
    const path = posix.relative(value(final, 'WORKDIR'), program);
    expect(path).toBe(manifest.bin.pgcascade);
    const { compilerOptions } = JSON.parse(read('src/tsconfig.json'));
    const out = posix.join('src', compilerOptions.outDir);
    const source = posix
      .join('src', compilerOptions.rootDir, posix.relative(out, path))
      .replace(/\.js$/, '.ts');
    expect(existsSync(new URL(source, root))).toBe(true);
  });

  test('builds with scripts of package.json', () => {
    const scripts = stages
      .flatMap(({ instructions }) => instructions)
      .flatMap(({ word, rest }) => (word === 'RUN' ? [...rest.matchAll(/\bnpm run ([\w-]+)/g)] : []))
      .map(([, script]) => script);
    expect(scripts).toEqual(['build']);
    expect(manifest.scripts).toHaveProperty('build');
  });

  test('has variables that are a valid configuration, of the ports that it exposes', () => {
    const env = Object.fromEntries(
      [...value(final, 'ENV').matchAll(/(\w+)=(\S+)/g)].map(([, name, text]) => [name, text]),
    );
    const upstream = { PGCASCADE_UPSTREAM: 'postgres://db' };
    const { config } = readConfig({ flags: {}, env: { ...env, ...upstream }, cwd: '/nowhere' });
    const ports = [...config.listen, config.admin.listen ?? ''].map((address) => parseAddress(address).port);
    expect(value(final, 'EXPOSE').split(' ').map(Number)).toEqual(ports);
    expect(value(final, 'HEALTHCHECK')).toContain('PGCASCADE_ADMIN_LISTEN');
  });

  test('serves the embedded sample only where it is asked for by name', () => {
    const env = Object.fromEntries(
      [...value(final, 'ENV').matchAll(/(\w+)=(\S+)/g)].map(([, name, text]) => [name, text]),
    );
    const load = (more: object) => () => readConfig({ flags: {}, env: { ...env, ...more }, cwd: '/nowhere' });
    expect(load({})).toThrow('upstream: is missing');
    expect(load({ PGCASCADE_UPSTREAM: '' })).toThrow('PGCASCADE_UPSTREAM: is empty');
    expect(load({ PGCASCADE_UPSTREAM: 'embedded' })().config.upstream).toEqual({ kind: 'embedded' });
  });

  test('does not run as root, and hands signals to node', () => {
    expect(value(final, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(value(final, 'STOPSIGNAL')).toBe('SIGTERM');
    expect(value(final, 'ENTRYPOINT')).toMatch(/^\["node",/);
  });

  test('is of one base in all stages, which can be chosen', () => {
    expect(read('Dockerfile')).toMatch(/^ARG BASE=node:24-slim$/m);
    expect(stages.map(({ base }) => base)).toEqual(stages.map(() => `\${BASE}`));
  });
});

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

interface Stage {
  readonly base: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

function readStages(text: string): readonly Stage[] {
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  const instructions = lines.map((line): Instruction => {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { word, rest };
  });
  const starts = instructions.flatMap(({ word }, i) => (word === 'FROM' ? [i] : []));
  return starts.map((start, i) => {
    const [, base = '', name = ''] = /^(\S+)(?: AS (\S+))?$/.exec(instructions[start]?.rest ?? '') ?? [];
    return { base, name, instructions: instructions.slice(start + 1, starts[i + 1]) };
  });
}

function value(stage: { readonly instructions: readonly Instruction[] }, wanted: string): string {
  const found = stage.instructions.filter(({ word }) => word === wanted);
  expect(found.length, wanted).toBe(1);
  return found[0]?.rest ?? '';
}

function readCopy(rest: string): { readonly from: string | undefined; readonly sources: readonly string[] } {
  const words = rest.split(' ');
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  return { from, sources: words.filter((word) => !word.startsWith('--')).slice(0, -1) };
}

/** The folders that a stage makes beside what it copies. */
function products(name: string): readonly string[] {
  const stage = stages.find((each) => each.name === name);
  if (stage === undefined) return [];
  const directory = value(stage, 'WORKDIR');
  const { compilerOptions } = JSON.parse(read('src/tsconfig.json'));
  return stage.instructions
    .filter(({ word }) => word === 'RUN')
    .flatMap(({ rest }) => [
      ...(rest.startsWith('npm ci') ? ['node_modules'] : []),
      ...(rest === 'npm run build' ? [posix.join('src', compilerOptions.outDir)] : []),
    ])
    .map((folder) => posix.join(directory, folder));
}
