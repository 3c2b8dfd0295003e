/** The document about databases has every family, as the profiles have it. */
import { expect, test } from 'vitest';
import { CHOSEN_NAMES, FAMILIES } from '../../src/profiles/families/all.js';
import type { Family, Limits } from '../../src/profiles/families/family.js';
import { expectSection, read } from './documents.js';

const DOCUMENT = 'docs/databases.md';

test('docs/databases.md has every family, and how it was shown', () => {
  const rows = FAMILIES.map((family) =>
    row([
      `${family.servers.join(', ')}${isChosen(family) ? `<br>\`${family.name}\`` : ''}`,
      recognised(family),
      graph(family),
      strategy(family),
      atomic(family),
      family.differs,
      family.shown,
    ]),
  );
  const head = [
    'database, `profile`',
    'recognised by',
    'keys from',
    'a cascade',
    'atomic',
    'what differs',
    'how it was shown',
  ];
  expectSection(DOCUMENT, 'families', table(head, rows));
});

test('docs/databases.md has what each of them can do', () => {
  const rows = FAMILIES.filter(({ strategy }) => strategy !== 'none').map((family) => {
    const { deletes, limits, lock, retried, transactions, transport } = family;
    return row([
      family.servers[0] ?? '',
      family.keys,
      forms(deletes),
      `${transactions.kind}${transactions.statusTells ? '' : '; the status lies'}`,
      limited(limits),
      lock,
      `${transport.form}, ${transport.chunk} (${transport.rowChunk})`,
      retried.map((code) => `\`${code}\``).join(', ') || 'none',
    ]);
  });
  const head = [
    'database',
    'keys',
    'a `DELETE` may have',
    'transactions',
    'limits',
    'locks',
    'transport',
    'retried',
  ];
  expectSection(DOCUMENT, 'abilities', table(head, rows));
});

test('the reason of a refusal ends a sentence of PGC_SERVER', () => {
  const refused = FAMILIES.filter(({ strategy }) => strategy !== 'single');
  expect(refused.filter(({ reason = '' }) => !/^[a-z].*[^.]$/.test(reason)).map(({ name }) => name)).toEqual(
    [],
  );
  expect(FAMILIES.filter(({ reason, strategy }) => strategy === 'single' && reason !== undefined)).toEqual(
    [],
  );
});

test('each value of a profile stands in a file that says where it is from', () => {
  for (const name of CHOSEN_NAMES) expect(read(`src/profiles/families/${name}.ts`)).toMatch(/\/\/ [DST]: /);
});

function isChosen({ name }: Family): boolean {
  return CHOSEN_NAMES.some((each) => each === name);
}

function recognised({ servers, signs: { host, parameter, setting, words } }: Family): string {
  const signs = [
    host &&
      `the host \`*${host.source
        .replace(/\(\?.*|\$$/g, '')
        .replaceAll('\\', '')
        .replace('[a-z0-9-]+', 'REGION')}\``,
    parameter && `\`${parameter}\` at the login`,
    setting && `the setting \`${setting}\``,
    words && `\`${words.source.replaceAll('|', '`, `').replace(/\\[bd]/g, '')}\` in its version`,
  ].filter((sign) => sign !== undefined);
  return (
    signs.join('; ') ||
    (servers[0] === 'PostgreSQL' ? '`PostgreSQL` and a version from 10 on' : 'none of these')
  );
}

function graph({ graph: source, strategy: sent }: Family): string {
  if (source === 'configuration') return 'the configuration';
  return source === 'pg_constraint' && sent !== 'single'
    ? '`pg_constraint`, from version 10 on'
    : `\`${source}\``;
}

function strategy({ graph: source, strategy: sent }: Family): string {
  const ordered = source === 'pg_constraint' ? 'several statements' : 'several plain statements';
  return { single: 'one statement', ordered, none: 'refused' }[sent];
}

function atomic({ strategy: sent, transactions }: Family): string {
  if (sent === 'none') return '';
  const without = '`cascade.atomic: false`';
  if (transactions.kind === 'none') return `no: ${without}`;
  return transactions.keepsReferenced ? `yes; where it enforces a key, no: ${without}` : 'yes';
}

function forms({ recursive, returning, using, with: form }: Family['deletes']): string {
  const withForm = { writes: 'WITH that writes', reads: 'WITH that reads', none: undefined }[form];
  const words = [using && 'USING', returning && 'RETURNING', withForm, recursive && 'RECURSIVE'];
  return words.filter(Boolean).join(', ') || 'none of USING, RETURNING, WITH';
}

function limited({ bytes, rows, statementBytes }: Limits): string {
  const mebibytes = (size: number) => `${size / 1024 / 1024} MiB`;
  const parts = [
    rows !== undefined && `${rows} rows a transaction`,
    bytes !== undefined && `${mebibytes(bytes)} a transaction`,
    statementBytes !== undefined && `${mebibytes(statementBytes)} a statement`,
  ];
  return parts.filter(Boolean).join(', ') || 'none';
}

function table(head: readonly string[], rows: readonly string[]): string {
  return [row(head), `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
