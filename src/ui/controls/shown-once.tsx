import { type ReactNode, useEffect, useRef } from 'react';
import { t } from '../words/words.ts';
import { Button } from './button.tsx';
import { CopyText } from './copy.tsx';

/** What is shown this once: names and texts to copy, and the way out of the dialog. */
export function ShownOnce({
  title,
  texts,
  onDone,
  children,
}: {
  title: string;
  texts: readonly (readonly [label: string, text: string])[];
  onDone: () => void;
  children?: ReactNode;
}) {
  const heading = useRef<HTMLParagraphElement>(null);
  // The form that had the focus is gone.
  useEffect(() => heading.current?.focus(), []);
  return (
    <div className="grid gap-4">
      <p ref={heading} tabIndex={-1} className="outline-none">
        <strong className="font-semibold">{title}</strong>
      </p>
      <dl className="grid gap-3">
        {texts.map(([label, text]) => (
          <div key={label} className="grid min-w-0 gap-1">
            <dt className="text-meta text-quiet">{label}</dt>
            <dd className="min-w-0 break-all">
              <CopyText text={text} label={t('Copy {label}', { label })} />
            </dd>
          </div>
        ))}
      </dl>
      {children}
      <div className="flex justify-end">
        <Button look="primary" onClick={onDone}>
          {t('Done')}
        </Button>
      </div>
    </div>
  );
}

/** The groups that an account could not be put into, each with the reason. */
export function FailedGroups({ failed }: { failed: readonly { group: string; reason: string }[] }) {
  if (failed.length === 0) return null;
  return (
    <div role="alert" className="rounded-md border border-warn p-3">
      <p className="font-medium">{t('Not in every group')}</p>
      <ul className="list-disc pl-5">
        {failed.map(({ group, reason }) => (
          <li key={group}>
            {group}: {reason}
          </li>
        ))}
      </ul>
    </div>
  );
}
