/** The faults as a program: `npm run test:chaos -- --seed 7`. Exit status: 0 no defect, 1 some, 2 bad usage. */
import { atLeast, oneOf, runCommand } from '../support/command.js';
import { type Server, startPostgres } from '../support/postgres.js';
import { Beside } from './beside.js';
import { ALL, CAMPAIGNS, type CampaignName } from './campaigns.js';
import type { Figures } from './figures.js';
import { Scene } from './scene.js';

const names = Object.keys(CAMPAIGNS) as CampaignName[];
const help = `usage: npm run test:chaos -- [OPTION…]

Sends pgcascade what no client and no server should, and prints what became of it.

  --seed N        the seed (default: of the clock)
  --only NAME     one of ${names.join(', ')} (default: all)
  --cases N       how many cases (default: ${names.map((name) => `${CAMPAIGNS[name].cases === ALL ? 'all' : CAMPAIGNS[name].cases} ${name}`).join(', ')})
  --case N        begin with this one (default: 0)
`;

const options = {
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  only: { type: 'string' },
  cases: { type: 'string' },
  case: { type: 'string', default: '0' },
} as const;

await runCommand({
  help,
  options,
  async run(values) {
    const seed = atLeast(0, '--seed', values.seed);
    const first = atLeast(0, '--case', values.case);
    const most = values.cases === undefined ? undefined : atLeast(1, '--cases', values.cases);
    const chosen = values.only === undefined ? names : [oneOf(names, '--only', values.only)];
    const server = await startPostgres();
    let defects = 0;
    try {
      for (const name of chosen) {
        const { play, cases } = CAMPAIGNS[name];
        const figures = await played(server, (scene) => play(scene, { seed, cases: most ?? cases, first }));
        console.log(`seed ${seed}, ${figures}`);
        for (const defect of figures.defects) console.log(`  ${defect}`);
        defects += figures.defects.length;
      }
    } finally {
      await server.stop('immediate');
    }
    return defects === 0;
  },
});

/** On a scene of its own, with a database and a proxy. */
async function played(server: Server, play: (scene: Scene) => Promise<Figures>): Promise<Figures> {
  const scene = await Scene.begin(server);
  const beside = Beside.begin(scene, server.port);
  try {
    const figures = await play(scene);
    await beside.end(figures);
    figures.addNote(await scene.lateness());
    figures.addNote(scene.closings);
    if (scene.lateClosings > 0) figures.addDefects('open for too long', [`${scene.lateClosings} times`]);
    figures.addDefects('at the end', await scene.lastDefects());
    return figures;
  } catch (error) {
    // What is ended below may fail for the same reason, and would be told in place of it.
    console.error(error);
    throw error;
  } finally {
    beside.stop();
    await scene.end();
  }
}
