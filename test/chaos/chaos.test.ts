/** A part of each campaign, always the same. The rest, with other seeds: npm run test:chaos. */
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { startPostgres } from '../support/postgres.js';
import { CAMPAIGNS, type CampaignName } from './campaigns.js';
import { Scene } from './scene.js';

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.begin(inject('postgres'));
});
afterAll(() => scene?.end());

const parts: readonly (readonly [string, CampaignName, number])[] = [
  ['whatever clients send, the proxy serves others and keeps nothing of it', 'frontend', 40],
  ['whatever a server sends, the proxy serves others and keeps nothing of it', 'backend', 10],
  ['whoever is killed, no cascade is done in part, and nothing is left open', 'kills', 20],
  [
    'whenever a proxy is killed, no row references one that is gone, and the same statement finishes',
    'nonAtomic',
    2,
  ],
  ['a cancel request stops the statement that it is for, and no other', 'cancels', 8],
  ['wherever a connection is cut, what was answered is done, and nothing is done in part', 'cuts', 12],
  [
    'wherever one direction of a connection ends, what was answered is done, and nothing is done in part',
    'halves',
    12,
  ],
  ['whatever befalls a message to or from a server, its client hears the truth', 'mishaps', 18],
];

test.each(parts)('%s', async (_, name, cases) => {
  const figures = await CAMPAIGNS[name].play(scene, { seed: 1, cases });
  expect([...figures.defects, ...(await scene.lastDefects())]).toEqual([]);
  expect(figures.cases).toBe(cases);
});

test('where a backend is killed by SIGKILL, all sessions are told of the end, and the next are served', async () => {
  const server = await startPostgres();
  onTestFinished(() => server.stop('immediate'));
  const apart = await Scene.begin(server);
  onTestFinished(() => apart.end());
  const figures = await CAMPAIGNS.crashes.play(apart, { seed: 1, cases: 1 });
  expect([...figures.defects, ...(await apart.lastDefects())]).toEqual([]);
});
