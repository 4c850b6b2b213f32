import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { Empty } from '../controls/empty.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem, saidBy } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { announce } from '../controls/toasts.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { t } from '../words/words.ts';
import { clientsKey } from './clients-key.ts';

type Connected = Awaited<ReturnType<typeof api<'connectedClients.list'>>>['connected_clients'][number];

/** The programs that may act for the caller, since they signed in from them; each can be disconnected. */
export function ConnectedClients() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: [clientsKey, 'mine'],
    queryFn: ({ signal }) => api('connectedClients.list', { query: {}, signal }),
  });
  return (
    <Page title={t('Connected clients')}>
      <p className="mb-4 max-w-prose text-quiet">
        {t(
          'Programs you signed in from. Disconnecting one ends its access at once; it asks you to sign in again.',
        )}
      </p>
      {isPending && <Pending rows={3} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data?.connected_clients.length === 0 && (
        <Empty>
          <p className="text-quiet">{t('No client is connected yet.')}</p>
          <Link to="/" className={buttonClass('primary')}>
            {t('Connect a client')}
          </Link>
        </Empty>
      )}
      {data && data.connected_clients.length > 0 && <ClientList clients={data.connected_clients} />}
    </Page>
  );
}

/** How a program came to what it may do. */
function wayOf(via: Connected['via']): string {
  switch (via) {
    case 'consent':
      return t('Allowed on the page that asks');
    case 'device':
      return t('Allowed by the code of a device');
    case 'assertion':
      return t('The identity provider vouched for it');
    case 'exchange':
      return t('An agent got it for a token of another program');
  }
}

/** Connected clients, each with what it may do and a way to end that; with `ofAll` whose each is. */
export function ClientList({ clients, ofAll = false }: { clients: readonly Connected[]; ofAll?: boolean }) {
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: (client: Connected) => api('connectedClients.end', { params: { id: client.id } }),
    onSuccess: async (_, { client_name: name }) => {
      announce('done', t('{name} was disconnected.', { name }));
      await queries.invalidateQueries({ queryKey: [clientsKey] });
    },
    onError: (error, { client_name: name }) =>
      announce('failed', t('{name} could not be disconnected. {why}', { name, why: saidBy(error).detail })),
  });
  return (
    <ul
      aria-label={t('Connected clients')}
      className="overflow-hidden rounded-lg border border-line bg-raised"
    >
      {clients.map((client) => (
        <li
          key={client.id}
          className="flex flex-wrap items-start gap-x-6 gap-y-2 border-b border-line px-4 py-3 last:border-0"
        >
          <NameTile name={client.client_name} />
          <div className="min-w-0 flex-1 basis-56">
            <h2 className="font-semibold">{client.client_name}</h2>
            {ofAll && <p>{client.username}</p>}
            <p className="text-quiet">
              {client.scopes.includes('mcp:call') ? t('Can call tools on') : t('Can only read on')}{' '}
              <code className="font-mono text-code">{client.resource}</code>
              {client.only_at !== null && (
                <>
                  {t(', there only')} <code className="font-mono text-code">{client.only_at}</code>
                </>
              )}
            </p>
            <p className="text-quiet">
              {wayOf(client.via)}
              {client.actors.length > 0 && t('; acting: {agents}', { agents: client.actors.join(', ') })}
            </p>
          </div>
          <p className="basis-48 text-quiet">
            {t('Connected')} <RelativeTime iso={client.created_at} />
            <br />
            {t('Last used:')}{' '}
            {client.last_used_at === null ? t('never') : <RelativeTime iso={client.last_used_at} />}
          </p>
          <Button
            busy={end.isPending && end.variables.id === client.id}
            aria-label={t('Disconnect {name}', { name: client.client_name })}
            onClick={() => end.mutate(client)}
          >
            {t('Disconnect')}
          </Button>
        </li>
      ))}
    </ul>
  );
}
