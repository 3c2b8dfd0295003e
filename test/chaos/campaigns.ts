import { haltBatches, haltDeepBatches } from './batched.js';
import { cancel } from './cancels.js';
import { crash } from './crashes.js';
import { cut, disturb, halfClose } from './cuts.js';
import type { Figures } from './figures.js';
import { type Campaign, fuzzBackend, fuzzFrontend } from './fuzz.js';
import { kill } from './kills.js';
import { haltNonAtomic } from './non-atomic.js';
import { killRunning } from './running.js';
import type { Scene } from './scene.js';

/** @param cases how many make the long form; at most as many as there are */
const campaign = (cases: number, play: (scene: Scene, campaign: Campaign) => Promise<Figures>) => ({
  cases,
  play,
});

export const ALL = Number.POSITIVE_INFINITY;

/** The campaigns by their names, in the order in which they are played. */
export const CAMPAIGNS = {
  frontend: campaign(8000, fuzzFrontend),
  backend: campaign(2000, fuzzBackend),
  kills: campaign(1000, kill),
  running: campaign(30, killRunning),
  crashes: campaign(20, crash),
  nonAtomic: campaign(200, haltNonAtomic),
  batches: campaign(200, haltBatches),
  deepBatches: campaign(200, haltDeepBatches),
  cancels: campaign(500, cancel),
  cuts: campaign(ALL, cut),
  halves: campaign(ALL, halfClose),
  mishaps: campaign(ALL, disturb),
} as const;

export type CampaignName = keyof typeof CAMPAIGNS;
