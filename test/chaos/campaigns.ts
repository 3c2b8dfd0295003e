import { cancel } from './cancels.js';
import type { Figures } from './figures.js';
import { type Campaign, fuzzBackend, fuzzFrontend } from './fuzz.js';
import { kill } from './kills.js';
import type { Scene } from './scene.js';

/** @param cases how many make the long form */
const campaign = (cases: number, play: (scene: Scene, campaign: Campaign) => Promise<Figures>) => ({
  cases,
  play,
});

/** The campaigns by their names, in the order in which they are played. */
export const CAMPAIGNS = {
  frontend: campaign(8000, fuzzFrontend),
  backend: campaign(2000, fuzzBackend),
  kills: campaign(1000, kill),
  cancels: campaign(500, cancel),
} as const;

export type CampaignName = keyof typeof CAMPAIGNS;
