import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Server, serverKey } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';

type Arrangement = Awaited<ReturnType<typeof api<'servers.egress'>>>;
type Mode = Arrangement['egress_auth_mode'];
type Discovery = Arrangement['discovery'];

const words: Readonly<Record<Discovery, string>> = {
  none: t('No one: only that it asks for a credential is checked'),
  client_credentials: t("The gateway's own client, by its id and secret"),
  person: t('An administrator who connects for that alone'),
  app_only: t("The gateway's own client at the identity provider"),
};

/** Who may look at what a server offers in each mode. */
const suiting: Readonly<Partial<Record<Mode, readonly Discovery[]>>> = {
  oauth_user: ['none', 'person', 'client_credentials'],
  pat: ['none', 'person'],
  obo_exchange: ['none', 'app_only', 'client_credentials'],
};

/** Who looks at a server, as far as the mode leaves a choice: what was chosen for another mode counts as nobody. */
export function discoveryFor(mode: Mode, chosen: Discovery): Discovery {
  return suiting[mode]?.includes(chosen) ? chosen : 'none';
}

/** Who looks at what a server offers, for its checks and for the lists that everybody gets. */
export function ListsField({
  mode,
  value,
  fault,
  onChange,
}: {
  mode: Mode;
  value: Discovery;
  fault: string | undefined;
  onChange: (value: Discovery) => void;
}) {
  const choice = suiting[mode];
  if (!choice) return null;
  return (
    <TextField
      label={t('Who reads its tools')}
      value={discoveryFor(mode, value)}
      options={choice.map((one) => [one, words[one]])}
      hint={t('For its checks, and for the lists that people get before they are connected.')}
      fault={fault}
      onChange={(chosen) => onChange(chosen as Discovery)}
    />
  );
}

/** Who is connected for the lists of a server, and a way to be that. */
export function ListsConnection({ server, stored }: { server: Server; stored: Arrangement }) {
  const queries = useQueryClient();
  const [token, setToken] = useState('');
  const body = { server_path: server.path, purpose: 'discovery' as const };
  const connect = useMutation({
    mutationFn: () => api('connections.initiate', { body }),
    onSuccess: ({ authorize_url: url }) => {
      if (/^https?:\/\//i.test(url)) location.assign(url);
    },
  });
  const enter = useMutation({
    mutationFn: () =>
      api('connections.enter', {
        body: { ...body, token: token.trim(), ttl_value: stored.max_days, ttl_unit: 'days' },
      }),
    onSuccess: async () => {
      setToken('');
      announce('done', t('You are connected for the lists of {name}.', { name: server.server_name }));
      await queries.invalidateQueries({ queryKey: [serverKey, server.path] });
    },
  });
  const held = stored.lists_connection;
  const isGood = held?.status === 'connected';
  const action = held ? t('Connect again for its lists') : t('Connect for its lists');
  return (
    <div className="grid gap-2 rounded-md border border-line p-3">
      <p className="font-medium">{t('Connection for its lists')}</p>
      <p className={isGood ? '' : 'text-bad'}>
        {held === null
          ? t('No one is connected for its lists yet, so they cannot be read.')
          : isGood
            ? t('{name} is connected.', { name: held.username })
            : t('The connection of {name} has ended or is refused.', { name: held.username })}{' '}
        {isGood && held.ends_at !== null && (
          <>
            {t('Ends')} <RelativeTime iso={held.ends_at} />
          </>
        )}
      </p>
      <p className="text-meta text-quiet">
        {t('It reads lists only; no call is made with it. An account with few rights is enough.')}
      </p>
      {stored.egress_auth_mode === 'pat' && (
        <TextField
          label={t('Token for its lists')}
          type="password"
          value={token}
          hint={t('Kept for {n} days, encrypted, never shown again.', { n: stored.max_days })}
          onChange={setToken}
        />
      )}
      {(connect.error ?? enter.error) && <Problem error={connect.error ?? enter.error} />}
      <div>
        <Button
          busy={connect.isPending || enter.isPending}
          onClick={() => {
            if (stored.egress_auth_mode === 'oauth_user') connect.mutate();
            else if (token.trim() !== '') enter.mutate();
          }}
        >
          {action}
        </Button>
      </div>
    </div>
  );
}
