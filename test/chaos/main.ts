/** The faults as a program: `npm run test:chaos -- --seed 7`. Exit status: 0 no defect, 1 some, 2 bad usage. */
import { parseArgs } from 'node:util';
import { type Server, startPostgres } from '../support/postgres.js';
import { CAMPAIGNS, type CampaignName } from './campaigns.js';
import type { Figures } from './figures.js';
import { Scene } from './scene.js';

const names = Object.keys(CAMPAIGNS) as CampaignName[];
const help = `usage: npm run test:chaos -- [OPTION…]

Sends pgcascade what no client and no server should, and prints what became of it.

  --seed N        the seed (default: of the clock)
  --only NAME     one of ${names.join(', ')} (default: all)
  --cases N       how many cases (default: ${names.map((name) => `${CAMPAIGNS[name].cases} ${name}`).join(', ')})
  --case N        begin with this one (default: 0)
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      only: { type: 'string' },
      cases: { type: 'string' },
      case: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const server = await startPostgres();
  let defects = 0;
  try {
    for (const name of names.filter((each) => values.only === undefined || values.only === each)) {
      const { play, cases } = CAMPAIGNS[name];
      const seed = Number(values.seed);
      const campaign = { seed, cases: Number(values.cases ?? cases), first: Number(values.case) };
      const figures = await played(server, (scene) => play(scene, campaign));
      console.log(`seed ${seed}, ${figures}`);
      for (const defect of figures.defects) console.log(`  ${defect}`);
      defects += figures.defects.length;
    }
  } finally {
    await server.stop('immediate');
  }
  return defects > 0 ? 1 : 0;
}

/** On a scene of its own, with a database and a proxy. */
async function played(server: Server, play: (scene: Scene) => Promise<Figures>): Promise<Figures> {
  const scene = await Scene.begin(server);
  try {
    const figures = await play(scene);
    figures.addDefects('at the end', await scene.lastDefects());
    return figures;
  } finally {
    await scene.end();
  }
}

try {
  process.exit(await main());
} catch (error) {
  const usage = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  console.error(usage ? `${error.message}\n\n${help}` : error);
  process.exit(usage ? 2 : 1);
}
