/** Names that have to be quoted right, and how a schema's own are made. */

/** The first is none of them: most names are plain, so that what is printed can be read. */
export const ODD_NAMES = [
  '',
  'Mixed Case',
  'quo"te',
  'select',
  'größe',
  '🐘',
  'a.b',
  "it's",
  'back\\slash',
  '$1',
  'new',
  'x'.repeat(61),
] as const;

/** `plain`, or the odd name with it at its end, so that no two are alike; at most 63 bytes. */
export function nameOf(odd: number, plain: string): string {
  const name = ODD_NAMES[odd % ODD_NAMES.length] ?? '';
  if (name === '') return plain;
  const room = 63 - Buffer.byteLength(plain);
  let start = name;
  while (Buffer.byteLength(start) > room) start = start.slice(0, -1);
  return `${start}${plain}`;
}

export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
