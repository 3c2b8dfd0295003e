/** A reporter for vitest: behind the results it names the files that took longest, which are those to make cheaper. */
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const MOST = 10;

export default class SlowestFiles implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map((module) => ({
      name: relative(module.project.config.root, module.moduleId),
      seconds: secondsOf(module),
    }));
    const slowest = files.sort((one, other) => other.seconds - one.seconds).slice(0, MOST);
    if (slowest.length === 0) return;
    const all = files.reduce((sum, { seconds }) => sum + seconds, 0);
    const lines = slowest.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${name}`);
    console.log(
      `\nThe slowest of ${files.length} files (${all.toFixed(0)} s in all):\n${lines.join('\n')}\n`,
    );
  }
}

/** From the start of a file's process to its end: what it imports, its hooks and its tests. */
function secondsOf(module: TestModule): number {
  const { prepareDuration, environmentSetupDuration, setupDuration, collectDuration, duration } =
    module.diagnostic();
  return (prepareDuration + environmentSetupDuration + setupDuration + collectDuration + duration) / 1000;
}
