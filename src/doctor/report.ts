/** A report as people read it. Pure. */
import { isProblem, type Report } from './doctor.js';
import type { Finding } from './finding.js';

/** As text, which ends with a line's end. */
export function reportText(report: Report): string {
  const { database, server, role, keys, holds } = report;
  const problems = report.findings.filter(isProblem);
  const notes = report.findings.filter((finding) => !isProblem(finding));
  return [
    `${database}, as ${role}: ${server}`,
    `Foreign keys: ${keys.proxy} performed by pgcascade, ${keys.server} by the server, ${keys.nobody} by nobody.`,
    ...chapter('Something has to be done', problems),
    ...chapter('Good to know', notes),
    '',
    `What holds (cascade.guard: ${holds.guard}, cascade.locks: ${holds.locks}), in READ COMMITTED, where whoever deletes goes through pgcascade:`,
    `  ${holds.text}`,
    '',
    problems.length === 0 ? 'Nothing has to be done.' : `${problems.length} to be done.`,
    '',
  ].join('\n');
}

function chapter(title: string, findings: readonly Finding[]): readonly string[] {
  if (findings.length === 0) return [];
  return ['', `${title}:`, ...findings.flatMap(lines)];
}

function lines({ check, text, remedy }: Finding): readonly string[] {
  return [`  [${check}] ${text}`, ...(remedy === null ? [] : [`      ${remedy}`])];
}
