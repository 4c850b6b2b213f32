import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Empty } from '../controls/empty.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem, saidBy } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { announce } from '../controls/toasts.tsx';
import { NameTile } from '../servers/server-icon.tsx';
import { t } from '../words/words.ts';

type Connection = Awaited<ReturnType<typeof api<'connections.list'>>>['connections'][number];

const key = ['connections'];

/** Why connecting came to nothing, by the code that the gateway sends the browser back with; nothing else of the address is shown. */
const problems: Readonly<Record<string, string>> = {
  state: t('This attempt was already used, took too long, or was started in another session. Connect again.'),
  denied: t('You, or the service, did not allow the connection. Nothing was stored.'),
  issuer: t('The response came from another service than the one you were sent to, so it was not used.'),
  refused: t(
    'The service refused the connection. An administrator must check how it is set up; the log says why.',
  ),
  unavailable: t('The service cannot be reached right now. Connect again soon.'),
};

/** The servers that want a credential of each person: connect, connect again, disconnect, and what it was used for last. */
export function Connections() {
  const { server: wanted, connected, problem } = useSearch({ from: '/signed-in/connections' });
  const { data, error, isPending, refetch } = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => api('connections.list', { signal }),
  });
  const all = data?.connections ?? [];
  const asked = all.find((one) => one.server_path === wanted);
  const sorted = asked ? [asked, ...all.filter((one) => one !== asked)] : all;
  return (
    <Page title={t('Connections')}>
      <p className="mb-4 max-w-prose text-quiet">
        {t(
          'These servers need to know who is calling, so they get your own credential, which no one else can use. Disconnecting deletes it here.',
        )}
      </p>
      {problem !== undefined && (
        <p role="alert" className="mb-4 max-w-prose rounded-md border border-bad p-3 text-bad">
          {problems[problem] ?? t('The connection was not made. Connect again.')}
        </p>
      )}
      {connected !== undefined && asked?.status === 'connected' && (
        <p role="status" className="mb-4 max-w-prose rounded-md border border-line bg-raised p-3">
          {t('You are connected to {name}. You can go back to your program.', { name: asked.server_name })}
        </p>
      )}
      {isPending && <Pending rows={3} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && wanted !== undefined && !asked && (
        <p className="mb-4 text-quiet">
          {t('You cannot connect to such a server. Ask the person who gave you the link.')}
        </p>
      )}
      {data && all.length === 0 && <Empty>{t('None of your servers needs a credential of your own.')}</Empty>}
      {sorted.length > 0 && (
        <ul aria-label={t('Connections')} className="overflow-hidden rounded-lg border border-line bg-raised">
          {sorted.map((one) => (
            <ConnectionRow key={one.server_path} connection={one} isWanted={one === asked} />
          ))}
        </ul>
      )}
    </Page>
  );
}

function ConnectionRow({ connection, isWanted }: { connection: Connection; isWanted: boolean }) {
  const { server_name: name, status, host, account, scopes } = connection;
  const isHeld = connection.id !== null;
  return (
    <li
      className={`flex flex-wrap items-start gap-x-6 gap-y-2 border-b border-line px-4 py-3 last:border-0 ${isWanted ? 'bg-sunken' : ''}`}
    >
      <NameTile name={name} />
      <div className="min-w-0 flex-1 basis-56">
        <h2 className="font-semibold">{name}</h2>
        <p className="text-quiet">
          {t('Your credential goes to')} <code className="font-mono text-code">{host}</code>
        </p>
        {account !== null && <p>{t('As {account}', { account })}</p>}
        {scopes.length > 0 && (
          <p className="text-quiet">
            {isHeld ? t('Rights:') : t('Rights that are asked for:')}{' '}
            <code className="font-mono text-code">{scopes.join(' ')}</code>
          </p>
        )}
      </div>
      <div className="basis-48 text-quiet">
        <p className={status === 'refused' || status === 'ended' ? 'text-bad' : ''}>{stateOf(connection)}</p>
        {connection.ends_at !== null && status === 'connected' && (
          <p>
            {t('Ends')} <RelativeTime iso={connection.ends_at} />
          </p>
        )}
        {isHeld && (
          <p>
            {t('Last used:')}{' '}
            {connection.last_used_at === null ? t('never') : <RelativeTime iso={connection.last_used_at} />}
            {connection.last_used_for !== null && (
              <>
                {' · '}
                <code className="font-mono text-code">{connection.last_used_for}</code>
              </>
            )}
          </p>
        )}
      </div>
      <Actions connection={connection} />
    </li>
  );
}

function stateOf({ status, egress_auth_mode: mode }: Connection): string {
  if (status === 'connected') return t('Connected');
  if (status === 'refused') return t('The server no longer accepts your credential.');
  if (status === 'ended') return t('Your credential has ended.');
  return mode === 'obo_exchange' ? t('Connects automatically when you call it.') : t('Not connected');
}

function Actions({ connection }: { connection: Connection }) {
  const { server_name: name, server_path, egress_auth_mode: mode, status } = connection;
  const queries = useQueryClient();
  const [isEntering, setEntering] = useState(false);
  const connect = useMutation({
    mutationFn: () => api('connections.initiate', { body: { server_path } }),
    onSuccess: ({ authorize_url: url }) => {
      if (/^https?:\/\//i.test(url)) location.assign(url);
    },
    onError: (error) =>
      announce('failed', t('You cannot connect to {name}. {why}', { name, why: saidBy(error).detail })),
  });
  const disconnect = useMutation({
    mutationFn: () =>
      api('connections.remove', {
        params: { provider: connection.egress_provider, path: server_path },
      }),
    onSuccess: async () => {
      announce('done', t('{name} was disconnected.', { name }));
      await queries.invalidateQueries({ queryKey: key });
    },
    onError: (error) =>
      announce('failed', t('{name} could not be disconnected. {why}', { name, why: saidBy(error).detail })),
  });
  const isFirst = connection.id === null;
  const words =
    mode === 'pat'
      ? isFirst
        ? t('Enter a token')
        : t('Replace the token')
      : isFirst
        ? t('Connect')
        : t('Connect again');
  return (
    <div className="flex flex-wrap gap-2">
      {mode !== 'obo_exchange' && (
        <Button
          look={status === 'connected' ? undefined : 'primary'}
          busy={connect.isPending}
          aria-label={`${words}: ${name}`}
          onClick={() => (mode === 'pat' ? setEntering(true) : connect.mutate())}
        >
          {words}
        </Button>
      )}
      {!isFirst && (
        <Button
          busy={disconnect.isPending}
          aria-label={t('Disconnect {name}', { name })}
          onClick={() => disconnect.mutate()}
        >
          {t('Disconnect')}
        </Button>
      )}
      {isEntering && <EnterToken connection={connection} onClose={() => setEntering(false)} />}
    </div>
  );
}

/** The token lives in this component only, in no cache or storage. */
function EnterToken({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { server_name: name, server_path, host, max_days: most } = connection;
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const [days, setDays] = useState(String(Math.min(most, 30)));
  const enter = useMutation({
    mutationFn: () =>
      api('connections.enter', {
        body: { server_path, token: token.trim(), ttl_value: Number(days), ttl_unit: 'days' },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: key });
      onClose();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!enter.isPending && token.trim() !== '') enter.mutate();
  };
  return (
    <Dialog title={t('Your token for {name}', { name })} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <p className="text-quiet">
          {t('Create it at the service, with no more rights than you need. It goes to {host} only.', {
            host,
          })}
        </p>
        <TextField label={t('Token')} value={token} onChange={setToken} type="password" />
        <TextField
          label={t('Keep it for days')}
          value={days}
          onChange={setDays}
          hint={t('{n} days at most.', { n: most })}
        />
        {enter.error && <Problem error={enter.error} />}
        <div>
          <Button look="primary" type="submit" busy={enter.isPending}>
            {t('Save the token')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
