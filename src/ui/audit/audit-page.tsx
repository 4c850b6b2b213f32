import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Download, RefreshCw } from 'lucide-react';
import { useCallback } from 'react';
import { meQuery } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { useUrlText } from '../controls/url-text.ts';
import { parts, t } from '../words/words.ts';
import { askedBy } from './audit-asked.ts';
import { AuditFacets } from './audit-facets.tsx';
import { AuditFilter } from './audit-filter.tsx';

import { AuditList } from './audit-list.tsx';
import { auditKey, auditSummaryQuery } from './audit-query.ts';
import type { AuditSearch } from './audit-search.ts';
import { readsAudit } from './audit-search.ts';
import { AuditTimeline } from './audit-timeline.tsx';

/** For administrators and auditors: what happened, when, by whom; refusals at a glance; one event in full; export. */
export function Audit() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  if (readsAudit(me)) return <Trail />;
  return (
    <Page title={t('Audit')}>
      <Empty>
        <p className="max-w-prose text-quiet">
          {parts(
            'This page is for administrators and auditors. Ask an administrator for a scope with the permission {code}.',
            { code: <code className="font-mono text-code">read_audit</code> },
          )}
        </p>
      </Empty>
    </Page>
  );
}

function Trail() {
  const search = useSearch({ from: '/signed-in/audit' });
  const navigate = useNavigate({ from: '/audit' });
  const queries = useQueryClient();
  const change = useCallback(
    (changed: AuditSearch) =>
      void navigate({
        search: (now: AuditSearch) => ({ ...now, ...changed }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const writeQuery = useCallback((q: string) => change({ q }), [change]);
  const [text, setText] = useUrlText(search.q ?? '', writeQuery);
  return (
    <Page
      title={t('Audit')}
      actions={
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => void queries.invalidateQueries({ queryKey: auditKey })}>
            <RefreshCw size={15} aria-hidden />
            {t('Refresh')}
          </Button>
          <Export search={search} format="csv" label={t('Export CSV')} />
          <Export search={search} format="jsonl" label={t('Export JSON lines')} />
        </div>
      }
    >
      <AuditFilter search={search} text={text} onText={setText} onChange={change} />
      <Summary search={search} onChange={change} />
      <h2 className="mt-6 mb-2 text-lead font-semibold">{t('Events')}</h2>
      <AuditList search={search} />
    </Page>
  );
}

function Summary({ search, onChange }: { search: AuditSearch; onChange: (change: AuditSearch) => void }) {
  const { data, error, isPending, refetch } = useQuery(auditSummaryQuery(search));
  if (isPending) return <Pending rows={5} />;
  if (!data) return <Problem error={error} retry={() => void refetch()} />;
  return (
    <div className="grid gap-4">
      <AuditTimeline summary={data} />
      <AuditFacets search={search} onChange={onChange} />
      <p className="text-meta text-quiet">
        {t('Events are kept for {retentionDays} days.', { retentionDays: data.retention_days })}
      </p>
    </div>
  );
}

/** A plain link: the browser writes what comes to a file, however much it is. */
function Export({ search, format, label }: { search: AuditSearch; format: 'csv' | 'jsonl'; label: string }) {
  const asked = new URLSearchParams({ format, limit: '1000000', ...askedBy(search, Date.now()) });
  return (
    <a href={`/api/audit/export?${asked}`} download className={buttonClass()}>
      <Download size={15} aria-hidden />
      {label}
    </a>
  );
}
