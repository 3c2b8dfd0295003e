/** The whole matrix as a program: `npm run test:matrix`. Exit status: 0 all as promised, 1 not, 2 bad usage. */
import { oneOf, runCommand, UsageError } from '../support/command.js';
import { describeFault, missing, rowsOf, tryRows } from './matrix.js';
import { isThere } from './programs.js';
import { allSettings, CLIENTS, type ClientName, directSettings, type Setting } from './rows.js';
import { type Stage, startStage } from './stage.js';

const help = `usage: npm run test:matrix -- [OPTION…]

Logs in by each client in each way: its sslmode, what the proxy and PostgreSQL do about TLS, the sslmode of upstream, auth.mode, and
how PostgreSQL asks for passwords; also straight at PostgreSQL. Prints how many logins were as promised, and all that were not.

  --client NAME  this one only: ${CLIENTS.join(', ')}
  --part K/N     the Kth of N parts of the rows (1/1); each of 5 or 7 parts has every value of each
`;

/** Faults that are printed of each client. */
const SHOWN = 20;

const options = { client: { type: 'string' }, part: { type: 'string', default: '1/1' } } as const;

await runCommand({
  help,
  options,
  async run(values) {
    const clients = values.client === undefined ? CLIENTS : [oneOf(CLIENTS, '--client', values.client)];
    const inPart = partOf(values.part);
    const stage = await startStage();
    let faults = 0;
    try {
      console.log(
        ['client', 'through', 'rows', 'connected', 'refused as promised', 'not as promised'].join('\t'),
      );
      for (const client of clients) faults += await show(stage, client, inPart);
    } finally {
      await stage.stop();
    }
    console.log(faults > 0 ? `${faults} not as promised` : 'all as promised');
    return faults === 0;
  },
});

type Choice = (settings: readonly Setting[]) => readonly Setting[];

/** Reads `2/5`. Rows that follow each other go to different parts. @throws UsageError */
function partOf(text: string): Choice {
  const [, part, parts] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (!part || !parts || part > parts) throw new UsageError(`--part takes 1/5 to 5/5, not "${text}"`);
  return (settings) => settings.filter((_, i) => i % parts === part - 1);
}

async function show(stage: Stage, client: ClientName, inPart: Choice): Promise<number> {
  if (!isThere(client)) {
    console.log(`${client}\tis not installed`);
    return 0;
  }
  let faults = 0;
  for (const [through, settings] of [
    ['PostgreSQL', inPart(directSettings())],
    ['pgcascade', inPart(allSettings())],
  ] as const) {
    const tried = await tryRows(stage, client, rowsOf(client, settings));
    const kept = tried.filter(({ isAsPromised }) => isAsPromised);
    const connected = kept.filter(({ expected }) => expected.kind === 'connects');
    const wrong = tried.filter(({ isAsPromised }) => !isAsPromised);
    faults += wrong.length;
    const counts = [tried.length, connected.length, kept.length - connected.length, wrong.length];
    console.log([client, through, ...counts].join('\t'));
    for (const [why, count] of missing(client, settings)) console.log(`  ${count} rows left out: ${why}`);
    for (const fault of wrong.slice(0, SHOWN)) console.log(`  ${describeFault(fault)}`);
  }
  return faults;
}
