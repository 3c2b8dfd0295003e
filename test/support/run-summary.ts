/** A reporter for vitest: after the results it names what was skipped, once, and the files that took longest. */
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

const MOST_FILES = 10;

export default class RunSummary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = new Set(
      modules.flatMap((module) => [...module.children.allTests('skipped')].map(reasonOf)),
    );
    for (const reason of skipped) console.log(`skipped: ${reason}`);
    const files = modules.map((module) => ({
      name: relative(module.project.config.root, module.moduleId),
      seconds: secondsOf(module),
    }));
    const slowest = files.sort((one, other) => other.seconds - one.seconds).slice(0, MOST_FILES);
    const lines = slowest.map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${name}`);
    console.log(`\nThe slowest of ${files.length} files:\n${lines.join('\n')}\n`);
  }
}

/** The suite, and why it is skipped, where that is said: the reason of several tests of a suite is one. */
function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result?.state === 'skipped' ? result.note : undefined;
  if (note === undefined) return test.fullName;
  return test.parent.type === 'suite' ? `${test.parent.fullName}: ${note}` : `${test.name}: ${note}`;
}

/** What it takes to import a file, its hooks and its tests. */
function secondsOf(module: TestModule): number {
  const { setupDuration, collectDuration, duration } = module.diagnostic();
  return (setupDuration + collectDuration + duration) / 1000;
}
