import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { meQuery, serversQuery } from '../api.ts';
import { Empty } from '../controls/empty.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { TabLinks } from '../controls/tab-links.tsx';
import { t } from '../words/words.ts';
import { AskAccess, AskAccessButton } from './ask-access.tsx';
import { RequestRow } from './request-row.tsx';
import { Requestable } from './requestable.tsx';
import { requestableQuery, requestsQuery } from './requests-query.ts';

/** Requests for access: one's own with what became of them, and for those who decide the ones that wait and were decided. */
export function Requests() {
  const { tab = '', ask } = useSearch({ from: '/signed-in/requests' });
  const navigate = useNavigate({ from: '/requests' });
  const { data: me } = useQuery(meQuery);
  const { data: waiting } = useQuery(requestsQuery('decide', { status: 'pending' }));
  const { data: others } = useQuery(requestsQuery('decide'));
  const { data: taken } = useQuery(requestableQuery());
  if (!me) return null;
  const decides = me.is_admin || (others?.total_count ?? 0) > 0;
  const current = decides && (tab === 'waiting' || tab === 'decided') ? tab : '';
  return (
    <Page title={t('Requests')} actions={<AskAccessButton look="primary" />}>
      {decides && (
        <TabLinks
          tabs={[
            { name: '', words: t('My requests') },
            { name: 'waiting', words: t('To decide'), count: waiting?.total_count },
            { name: 'decided', words: t('Decided') },
          ]}
          current={current}
        />
      )}
      {taken?.enabled === false && (
        <p className="mb-4 rounded-lg border border-line bg-raised p-4 text-quiet">
          {t('This gateway does not accept requests for access. Ask an administrator in person.')}
        </p>
      )}
      <RequestList tab={current} />
      {current === '' && <Requestable />}
      {ask !== undefined && (
        <AskAccess
          path={ask}
          onClose={() => void navigate({ search: ({ tab: stays }) => ({ tab: stays }), replace: true })}
        />
      )}
    </Page>
  );
}

const empty: Readonly<Record<string, string>> = {
  '': t('You have asked for nothing yet. Request access to a server that someone told you about.'),
  waiting: t('No requests are waiting for a decision.'),
  decided: t('No request has been decided yet.'),
};

function RequestList({ tab }: { tab: string }) {
  const isMine = tab === '';
  const { data, error, isPending, refetch } = useQuery(
    requestsQuery(isMine ? 'mine' : 'decide', tab === 'waiting' ? { status: 'pending' } : {}),
  );
  const { data: servers } = useQuery(serversQuery);
  const names = new Map((servers?.servers ?? []).map(({ path, server_name }) => [path, server_name]));
  if (isPending) return <Pending rows={4} />;
  if (error && !data) return <Problem error={error} retry={() => void refetch()} />;
  const shown =
    tab === 'decided' ? data.requests.filter(({ status }) => status !== 'pending') : data.requests;
  if (shown.length === 0)
    return (
      <Empty>
        <p className="max-w-prose text-quiet">{empty[tab]}</p>
      </Empty>
    );
  return (
    <ul aria-label={t('Requests')} className="overflow-hidden rounded-lg border border-line bg-raised">
      {shown.map((request) => (
        <RequestRow key={request.id} request={request} name={names.get(request.path)} isMine={isMine} />
      ))}
    </ul>
  );
}
