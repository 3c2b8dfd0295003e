/** The benchmarks: `npm run bench -- SUBCOMMAND …`. Exit status: 0 done, 1 failed or missed a goal, 2 bad usage. */

import { isBadUsage, UsageError } from '../test/support/command.js';
import { catalog, usage as catalogUsage } from './catalog.js';
import { idle, usage as idleUsage } from './idle.js';
import { jit, usage as jitUsage } from './jit.js';
import { look, usage as lookUsage } from './look.js';
import { loop, usage as loopUsage } from './loop.js';
import { pages, usage as pagesUsage } from './pages.js';
import { programs, usage as programsUsage } from './programs.js';
import { race, usage as raceUsage } from './race.js';
import { relay, usage as relayUsage } from './relay.js';
import { series, usage as seriesUsage } from './series.js';
import { writes, usage as writesUsage } from './writes.js';

interface Subcommand {
  readonly usage: string;
  /** Gives false when a goal that was asked for is missed. @throws UsageError, or what went wrong */
  run(args: string[]): Promise<boolean>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  relay: { usage: relayUsage, run: relay },
  series: { usage: seriesUsage, run: series },
  catalog: { usage: catalogUsage, run: catalog },
  idle: { usage: idleUsage, run: idle },
  jit: { usage: jitUsage, run: jit },
  look: { usage: lookUsage, run: look },
  loop: { usage: loopUsage, run: loop },
  pages: { usage: pagesUsage, run: pages },
  programs: { usage: programsUsage, run: programs },
  race: { usage: raceUsage, run: race },
  writes: { usage: writesUsage, run: writes },
};

const help = `usage: npm run bench -- SUBCOMMAND [OPTION…]\n\n${Object.values(subcommands)
  .map((subcommand) => subcommand.usage)
  .join('\n\n')}\n`;

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || [name, ...args].includes('--help')) {
    process.stdout.write(help);
    return name === undefined ? 2 : 0;
  }
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  try {
    if (!subcommand) throw new UsageError(`there is no benchmark "${name}"`);
    return (await subcommand.run(args)) ? 0 : 1;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`bench: ${message}\n`);
    return isBadUsage(error) ? 2 : 1;
  }
}

// Leaving through exit() lets what was started (relays) be ended by its handlers.
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(status));
}
process.exitCode = await main(process.argv.slice(2));
