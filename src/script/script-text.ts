/** A script as its program reads it. */

import type { Step } from './dialects/step.js';
import type { Script } from './script.js';

/** The text, with a comment above each step. */
export function scriptText({ program, statement, steps }: Script): string {
  const head = [`Ordered deletes for ${program}, made by pgcascade of:`, ...statement.split(/\r?\n/)];
  return `${[head.map(comment).join('\n'), ...steps.map(stepText)].join('\n\n')}\n`;
}

function stepText({ about, lines }: Step): string {
  return [comment(about), ...lines].join('\n');
}

function comment(line: string): string {
  return `-- ${line.replaceAll(/[\r\n]/g, ' ')}`;
}

/** The same as JSON: each step with its kind, what it is about, and its lines. */
export function scriptJson(script: Script): string {
  return `${JSON.stringify(script, null, 2)}\n`;
}
