import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react';
import type { Diagnosis } from '../api.ts';
import { CopyText } from '../controls/copy.tsx';
import { t } from '../words/words.ts';

const faces = {
  fail: { icon: CircleX, words: t('To fix'), color: 'text-bad' },
  warn: { icon: TriangleAlert, words: t('To check'), color: 'text-warn' },
  ok: { icon: CircleCheck, words: t('In order'), color: 'text-good' },
} as const;

/** Findings of one level under a heading that counts them; those in order are folded away. */
export function Findings({
  level,
  findings,
}: {
  level: keyof typeof faces;
  findings: Diagnosis['findings'];
}) {
  const { icon: Icon, words, color } = faces[level];
  if (findings.length === 0) return null;
  const heading = (
    <h3 className={`flex items-center gap-1.5 font-semibold ${color}`}>
      <Icon size={16} aria-hidden className="shrink-0" />
      {words} ({findings.length})
    </h3>
  );
  const list = (
    <ul className="mt-2 rounded-lg border border-line bg-raised">
      {findings.map((finding) => (
        <Finding key={finding.id} finding={finding} />
      ))}
    </ul>
  );
  return level === 'ok' ? (
    <details>
      <summary className="inline-flex rounded-sm py-1 underline decoration-line underline-offset-4">
        {heading}
      </summary>
      {list}
    </details>
  ) : (
    <div>
      {heading}
      {list}
    </div>
  );
}

function Finding({
  finding: { group, what, why, level, remedy },
}: {
  finding: Diagnosis['findings'][number];
}) {
  return (
    <li className="grid min-w-0 gap-1 border-b border-line px-4 py-3 last:border-0">
      <p>
        <span className="mr-2 text-meta text-quiet">{group}</span>
        <span className={level === 'ok' ? '' : 'font-semibold'}>{what}</span>
      </p>
      {level !== 'ok' && <p className="text-quiet">{why}</p>}
      {remedy && (
        <dl className="mt-1 grid min-w-0 gap-x-3 gap-y-1.5 sm:grid-cols-[auto_1fr]">
          <dt className="text-meta font-semibold text-quiet">{t('In the portal')}</dt>
          <dd>{remedy.portal}</dd>
          <dt className="text-meta font-semibold text-quiet">{t('Or by command')}</dt>
          <dd className="min-w-0">
            <CopyText text={remedy.command} label={t('Copy the command for: {what}', { what })} />
          </dd>
        </dl>
      )}
    </li>
  );
}
