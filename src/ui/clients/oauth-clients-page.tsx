import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';
import { api, meQuery } from '../api.ts';
import { AdministratorsOnly } from '../controls/administrators-only.tsx';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Empty } from '../controls/empty.tsx';
import { Search } from '../controls/fields/search.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem, saidBy } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { announce } from '../controls/toasts.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { count, t } from '../words/words.ts';
import { clientsKey } from './clients-key.ts';
import { ClientList } from './connected-clients-page.tsx';

type Client = Awaited<ReturnType<typeof api<'oauthClients.list'>>>['items'][number];
type Status = Client['status'];

const statusWords: Record<Status, string> = {
  open: t('Open'),
  pending: t('Waiting for approval'),
  approved: t('Approved'),
  blocked: t('Blocked'),
};
const kindWords: Record<Client['kind'], string> = {
  registered: t('registered itself'),
  document: t('described by a document'),
  administrator: t('set up by an administrator'),
};

/** For administrators: the programs that people sign in from; each can be approved, blocked or removed. */
export function OauthClients() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return <Page title={t('Clients')}>{me.is_admin ? <List /> : <AdministratorsOnly />}</Page>;
}

function List() {
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const [status, setStatus] = useState<Status | ''>('');
  const [opened, setOpened] = useState<Client>();
  const search = useDeferredValue(text.trim());
  const { data, error, isPending, refetch } = useQuery({
    queryKey: [clientsKey, 'all', search, status],
    queryFn: ({ signal }) =>
      api('oauthClients.list', { query: { ...(search && { search }), ...(status && { status }) }, signal }),
    placeholderData: keepPreviousData,
  });
  const change = useMutation({
    mutationFn: ({ client, to }: { client: Client; to: 'approved' | 'blocked' }) =>
      api('oauthClients.change', { params: { client_id: client.client_id }, body: { status: to } }),
    onSuccess: async ({ client_name: name, status: now }) => {
      announce(
        'done',
        now === 'blocked' ? t('{name} was blocked.', { name }) : t('{name} was approved.', { name }),
      );
      await queries.invalidateQueries({ queryKey: [clientsKey] });
    },
    onError: (refusal) => announce('failed', saidBy(refusal).detail),
  });
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Search things={t('clients')} placeholder={t('Name or id')} value={text} onChange={setText} />
        <select
          aria-label={t('State')}
          value={status}
          onChange={(event) => setStatus(event.currentTarget.value as Status | '')}
          className="h-8 rounded-md border border-edge bg-raised px-2"
        >
          <option value="">{t('Every state')}</option>
          {Object.entries(statusWords).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        <p role="status" className="ml-auto text-quiet">
          {data && count(data.total, '{n} client', '{n} clients')}
        </p>
      </div>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty>
          <p className="max-w-prose text-quiet">
            {search || status
              ? t('No client matches.')
              : t('No client has signed in yet. Clients appear here when someone connects one.')}
          </p>
        </Empty>
      )}
      {data && data.items.length > 0 && (
        <ul aria-label={t('Clients')} className="overflow-hidden rounded-lg border border-line bg-raised">
          {data.items.map((client) => (
            <li
              key={client.client_id}
              className="flex flex-wrap items-start gap-x-6 gap-y-2 border-b border-line px-4 py-3 last:border-0"
            >
              <NameTile name={client.client_name} />
              <div className="min-w-0 flex-1 basis-64">
                <h2 className="font-semibold">
                  {client.client_name}
                  <span
                    className={`ml-2 rounded-sm px-1.5 py-0.5 text-meta font-normal ${client.status === 'blocked' ? 'bg-bad-soft text-bad' : client.status === 'pending' ? 'bg-warn-soft text-warn' : 'bg-hover text-quiet'}`}
                  >
                    {statusWords[client.status]}
                  </span>
                </h2>
                <p className="font-mono text-code text-quiet">{client.client_id}</p>
                <p className="text-quiet">
                  {kindWords[client.kind]}
                  {client.redirect_uris.length > 0 && ` · ${client.redirect_uris.join(', ')}`}
                </p>
              </div>
              <p className="basis-40 text-quiet">
                {count(client.people, '{n} person', '{n} people')}
                <br />
                {t('Last used:')}{' '}
                {client.last_used_at === null ? t('never') : <RelativeTime iso={client.last_used_at} />}
              </p>
              <div className="flex flex-wrap gap-2">
                <Button
                  aria-label={t('Who uses {name}', { name: client.client_name })}
                  onClick={() => setOpened(client)}
                >
                  {t('People')}
                </Button>
                {(client.status === 'pending' || client.status === 'blocked') && (
                  <Button
                    busy={change.isPending}
                    aria-label={t('Approve {name}', { name: client.client_name })}
                    onClick={() => change.mutate({ client, to: 'approved' })}
                  >
                    {t('Approve')}
                  </Button>
                )}
                {client.status !== 'blocked' && (
                  <Button
                    busy={change.isPending}
                    aria-label={t('Block {name}', { name: client.client_name })}
                    onClick={() => change.mutate({ client, to: 'blocked' })}
                  >
                    {t('Block')}
                  </Button>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      {opened && <People client={opened} onClose={() => setOpened(undefined)} />}
    </>
  );
}

function People({ client, onClose }: { client: Client; onClose: () => void }) {
  const { data, error, isPending } = useQuery({
    queryKey: [clientsKey, 'of', client.client_id],
    queryFn: ({ signal }) => api('connectedClients.list', { query: { client_id: client.client_id }, signal }),
  });
  return (
    <Dialog title={t('Who uses {name}', { name: client.client_name })} onClose={onClose}>
      {isPending && <Pending rows={2} />}
      {error && <Problem error={error} />}
      {data?.connected_clients.length === 0 && <p className="text-quiet">{t('No one at the moment.')}</p>}
      {data && data.connected_clients.length > 0 && <ClientList clients={data.connected_clients} ofAll />}
    </Dialog>
  );
}
