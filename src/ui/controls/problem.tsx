import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';
import { CircleX } from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiError } from '../api.ts';
import { parts, t } from '../words/words.ts';
import { Button } from './button.tsx';
import { CopyText } from './copy.tsx';
import { Page } from './page.tsx';

/** What went wrong, as far as a person can use it. */
interface Said {
  title: string;
  detail: string;
  code?: string;
  correlationId?: string;
}

/** Puts any error in words: what the gateway said, or that it could not be reached. */
export function saidBy(error: unknown): Said {
  if (error instanceof ApiError) {
    const { title, detail, code, correlation_id, errors } = error.problem;
    const faults = (errors ?? []).map(({ at, message }) => `${at}: ${message}`);
    return {
      title,
      detail: [detail, ...faults].join('\n'),
      code: `${error.status} ${code}`,
      ...(correlation_id ? { correlationId: correlation_id } : {}),
    };
  }
  if (error instanceof TypeError)
    return {
      title: t('The gateway did not respond'),
      detail: t('It may be restarting, or the connection may be down. Nothing was changed.'),
    };
  return { title: t('Something went wrong'), detail: error instanceof Error ? error.message : String(error) };
}

/** An error in its place: cause, code and the correlation id to look up in the log, with a way to try again. */
export function Problem({
  error,
  retry,
  children,
}: {
  error: unknown;
  retry?: () => void;
  children?: ReactNode;
}) {
  const { title, detail, code, correlationId } = saidBy(error);
  return (
    <div role="alert" className="flex gap-3 rounded-md border border-bad bg-bad-soft p-3">
      <CircleX size={18} aria-hidden className="mt-0.5 shrink-0 text-bad" />
      <div className="grid min-w-0 justify-items-start gap-1.5">
        <p className="font-semibold">{title}</p>
        <p className="whitespace-pre-line">{detail}</p>
        {code && (
          <p className="text-meta">
            {parts('Code {code}', { code: <code className="font-mono">{code}</code> })}
          </p>
        )}
        {correlationId && (
          <div className="flex flex-wrap items-center gap-2 text-meta">
            {t('Correlation id')} <CopyText text={correlationId} label={t('Copy correlation id')} />
          </div>
        )}
        {children}
        {retry && (
          <Button onClick={retry} className="mt-1">
            {t('Try again')}
          </Button>
        )}
      </div>
    </div>
  );
}

/** A page that could not be opened, inside the frame of its parent. */
export function PageProblem({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    // A part of the UI that is gone was replaced by a newer version: only loading the page anew brings that.
    if (/import|module/i.test(String(error))) return location.reload();
    reset();
    void router.invalidate();
  };
  return (
    <Page title={t('This page could not be opened')}>
      <Problem error={error} retry={retry} />
    </Page>
  );
}
