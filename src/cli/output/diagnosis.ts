import type { Diagnosis, Finding } from '../../contract/diagnosis/doctor.ts';
import { plainText } from '../../contract/values/plain-text.ts';
import type { Paint, Style } from './output.ts';

const marks: Record<Finding['level'], { mark: string; style: Style }> = {
  ok: { mark: 'ok  ', style: 'green' },
  warn: { mark: 'warn', style: 'yellow' },
  fail: { mark: 'fail', style: 'red' },
};

/** The findings for people: under their headings, with reason and remedy only where something is to be done. */
export function showDiagnosis({ findings }: Diagnosis, paint: Paint): string {
  const groups = [...new Set(findings.map(({ group }) => group))];
  const sections = groups.map((group) =>
    [
      paint('bold', group),
      ...findings.filter((one) => one.group === group).map((one) => showFinding(one, paint)),
    ].join('\n'),
  );
  return [...sections, summary(findings)].join('\n\n');
}

function showFinding({ level, what, why, remedy }: Finding, paint: Paint): string {
  const { mark, style } = marks[level];
  const lines = [`  ${paint(style, mark)}  ${plainText(what)}`];
  if (level !== 'ok') lines.push(`        ${paint('dim', plainText(why))}`);
  if (remedy)
    lines.push(
      `        Portal:  ${plainText(remedy.portal)}`,
      `        Command: ${plainText(remedy.command)}`,
    );
  return lines.join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Finding['level']): number => findings.filter((one) => one.level === level).length;
  const [failing, warning] = [count('fail'), count('warn')];
  if (failing + warning === 0) return 'All checks passed.';
  return `${failing} failed, ${warning} ${warning === 1 ? 'warning' : 'warnings'}, ${count('ok')} passed.`;
}
