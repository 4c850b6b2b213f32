import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useId } from 'react';
import { ApiError, api, type Server, serverKey } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { CopyText } from '../controls/copy.tsx';
import { isChangedMeanwhile, SaveProblem } from '../controls/fields/changed-meanwhile.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { forgetSave, useDraft } from '../controls/fields/use-draft.ts';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';
import { discoveryFor, ListsConnection, ListsField } from './egress-lists.tsx';

type Arrangement = Awaited<ReturnType<typeof api<'servers.egress'>>>;
type Mode = Arrangement['egress_auth_mode'];

const modes: readonly (readonly [mode: Mode, words: string, more: string])[] = [
  ['none', t('No credential'), t('The server is open to the gateway.')],
  [
    'operator_credential',
    t('One credential for everyone'),
    t('A token or key that is stored with the server and goes with every call.'),
  ],
  [
    'oauth_user',
    t("Each person's own account (OAuth)"),
    t('People connect once; their calls go with their own rights there.'),
  ],
  [
    'pat',
    t('A token that each person enters'),
    t('For services without OAuth: people create a token there and enter it here.'),
  ],
  [
    'obo_exchange',
    t("The person's sign-in, exchanged"),
    t('The gateway exchanges it at the identity provider for a token of the server; no one connects.'),
  ],
  [
    'client_credentials',
    t("The gateway's own account (OAuth)"),
    t('The gateway gets a token for itself; it is the same for everyone.'),
  ],
];

const services: readonly (readonly [string, string])[] = [
  ['custom', t('Found at the server, or as given below')],
  ['github', 'GitHub'],
  ['google', 'Google'],
  ['atlassian', 'Atlassian'],
  ['microsoft', 'Microsoft'],
  ['slack', 'Slack'],
  ['notion', 'Notion'],
  ['linear', 'Linear'],
  ['sentry', 'Sentry'],
];

const tokenAuthMethods: readonly (readonly [string, string])[] = [
  ['client_secret_basic', t('in a header (Basic)')],
  ['client_secret_post', t('in the form')],
];

const audienceParameters: readonly (readonly [string, string])[] = [
  ['resource', t('as “resource” (usual)')],
  ['audience', t('as “audience” (Auth0, Okta)')],
  ['none', t('not at all')],
];

/** Whose credential goes to a server, with only the fields that the way chosen needs. */
export function EgressForm({ server }: { server: Server }) {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: [serverKey, server.path, 'egress'],
    queryFn: ({ signal }) => api('servers.egress', { params: { path: server.path }, signal }),
  });
  return (
    <section aria-labelledby="credentials" className="grid gap-4 rounded-lg border border-line bg-raised p-4">
      <div>
        <h2 id="credentials" className="font-semibold">
          {t('Credential for the server')}
        </h2>
        <p className="text-quiet">{t('Whose credential the gateway sends with a call.')}</p>
      </div>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && <Fields key={server.path} server={server} stored={data} />}
    </section>
  );
}

function Fields({ server, stored }: { server: Server; stored: Arrangement }) {
  const queries = useQueryClient();
  const name = useId();
  const draft = useDraft(draftOf(stored));
  const { now } = draft;
  const set = <K extends keyof Draft>(key: K, value: Draft[K]) => {
    draft.change({ [key]: value } as Pick<Draft, K>);
    forgetSave(save);
  };
  const readAgain = () => queries.invalidateQueries({ queryKey: [serverKey, server.path] });
  const save = useMutation({
    mutationFn: (sent: Draft) =>
      api('servers.configureEgress', {
        params: { path: server.path },
        headers: { 'if-match': `"${server.revision}"` },
        body: bodyOf(sent),
      }),
    onSuccess: async (arrangement, sent) => {
      announce('done', t('The credential settings of {name} are saved.', { name: server.server_name }));
      queries.setQueryData([serverKey, server.path, 'egress'], arrangement);
      // The next save needs the revision that this one made.
      await readAgain();
      draft.saved(sent);
    },
    onError: (error) => (isChangedMeanwhile(error) ? readAgain() : undefined),
  });
  const faultAt = (key: string) => faultOf(save.error, key);
  const text = (key: 'client_id' | 'target_audience' | UrlKey) => ({
    value: now[key] ?? '',
    fault: faultAt(key),
    onChange: (value: string) => set(key, value),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate(now);
  };
  const mode = now.egress_auth_mode;
  const isOauth = mode === 'oauth_user' || mode === 'client_credentials' || mode === 'obo_exchange';
  return (
    <form noValidate onSubmit={submit} className="grid gap-4">
      <fieldset className="grid gap-2">
        <legend className="sr-only">{t('Whose credential')}</legend>
        {modes.map(([one, words, more]) => (
          <label key={one} className="flex items-start gap-2.5 rounded-md px-2 py-1 hover:bg-hover">
            <input
              type="radio"
              name={name}
              checked={mode === one}
              onChange={() => set('egress_auth_mode', one)}
              className="mt-0.5 size-4 shrink-0 accent-accent"
            />
            <span>
              <span className="font-medium">{words}</span>
              <span className="block text-meta text-quiet">{more}</span>
            </span>
          </label>
        ))}
        {faultAt('egress_auth_mode') && <p className="text-bad">{faultAt('egress_auth_mode')}</p>}
      </fieldset>
      {mode === 'operator_credential' && (
        <p className="text-quiet">
          {t('It is set with the registration.')}{' '}
          <Link
            to="/edit/$"
            params={{ _splat: server.path.slice(1) }}
            className="text-ink underline underline-offset-4"
          >
            {t('Open the registration')}
          </Link>
        </p>
      )}
      {mode === 'oauth_user' && (
        <TextField
          label={t('Service')}
          value={now.egress_provider}
          options={services}
          fault={faultAt('egress_provider')}
          onChange={(value) => set('egress_provider', value as Arrangement['egress_provider'])}
        />
      )}
      {isOauth && (
        <>
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField
              label={t('Client id')}
              {...text('client_id')}
              hint={
                mode === 'oauth_user'
                  ? t('Leave empty where the service lets clients register themselves.')
                  : undefined
              }
            />
            <TextField
              label={t('Client secret')}
              type="password"
              value={now.client_secret}
              fault={faultAt('client_secret')}
              hint={
                stored.has_client_secret
                  ? t('One is stored and never shown. Leave empty to keep it.')
                  : t('Stored encrypted, never shown again.')
              }
              onChange={(value) => set('client_secret', value)}
            />
          </div>
          <TextField
            label={t('Scopes')}
            value={now.scopes}
            isCode
            hint={t('Separated by spaces, as the service names them.')}
            fault={faultAt('scopes')}
            onChange={(value) => set('scopes', value)}
          />
          <TextField
            label={t('Audience')}
            {...text('target_audience')}
            hint={t("What tokens are asked for; the server's own address unless given.")}
          />
          {(mode !== 'oauth_user' || now.egress_provider === 'custom') && (
            <details>
              <summary className="w-fit rounded-sm underline underline-offset-4">
                {t('Addresses of the authorization server')}
              </summary>
              <div className="mt-3 grid gap-4">
                <TextField
                  label={t('Issuer')}
                  {...text('custom_issuer')}
                  hint={t('Its endpoints are found there; the server itself says it unless given.')}
                />
                {mode === 'oauth_user' && (
                  <TextField label={t('Authorization URL')} {...text('custom_authorize_url')} />
                )}
                <TextField label={t('Token URL')} {...text('custom_token_url')} />
              </div>
            </details>
          )}
          <details>
            <summary className="w-fit rounded-sm underline underline-offset-4">
              {t('How tokens are asked for')}
            </summary>
            <div className="mt-3 grid gap-4 sm:grid-cols-2">
              <TextField
                label={t('The client secret goes')}
                value={now.token_auth_method}
                options={tokenAuthMethods}
                fault={faultAt('token_auth_method')}
                onChange={(value) => set('token_auth_method', value as Arrangement['token_auth_method'])}
              />
              <TextField
                label={t('The audience goes')}
                value={now.audience_parameter}
                options={audienceParameters}
                fault={faultAt('audience_parameter')}
                onChange={(value) => set('audience_parameter', value as Arrangement['audience_parameter'])}
              />
            </div>
          </details>
        </>
      )}
      {mode === 'oauth_user' && <RedirectAddress stored={stored} now={now} />}
      {mode === 'pat' && (
        <div className="grid gap-4 sm:grid-cols-3">
          <TextField
            label={t('Header')}
            value={now.header_name}
            fault={faultAt('header_name')}
            onChange={(value) => set('header_name', value)}
          />
          <TextField
            label={t('Before the token')}
            value={now.header_prefix}
            hint={t('With its space, such as “Bearer ”.')}
            fault={faultAt('header_prefix')}
            onChange={(value) => set('header_prefix', value)}
          />
          <TextField
            label={t('Kept for at most (days)')}
            value={String(now.max_days)}
            fault={faultAt('max_days')}
            onChange={(value) => set('max_days', Number(value.replace(/\D/g, '')))}
          />
        </div>
      )}
      <ListsField
        mode={mode}
        value={now.discovery}
        fault={faultAt('discovery')}
        onChange={(value) => set('discovery', value)}
      />
      {stored.discovery === 'person' && now.discovery === 'person' && mode === stored.egress_auth_mode && (
        <ListsConnection server={server} stored={stored} />
      )}
      {(mode === 'oauth_user' || mode === 'pat') && (
        <p className="text-quiet">
          {t('People connect under Connections, or are asked at their first call.')}
        </p>
      )}
      <SaveProblem draft={draft} save={save} labels={labels} />
      <div>
        <Button type="submit" look="primary" busy={save.isPending}>
          {t('Save')}
        </Button>
      </div>
    </form>
  );
}

/** Where the service sends people back to: one address for all that an administrator chose, one of its own for what a server says itself. */
function RedirectAddress({ stored, now }: { stored: Arrangement; now: Draft }) {
  const isChosen = (one: Omit<Draft, 'scopes' | 'client_secret'>) =>
    one.egress_provider !== 'custom' || Boolean(one.custom_issuer?.trim() || one.custom_token_url?.trim());
  const common = new URL('/oauth2/egress/callback', stored.connect_url).href;
  const isKnown = stored.egress_auth_mode === 'oauth_user' && !isChosen(stored);
  const address = isChosen(now) ? common : isKnown ? stored.callback_url : undefined;
  return (
    <div className="grid gap-1">
      <p className="font-medium">{t('Redirect address to register at the service')}</p>
      {address === undefined ? (
        <p className="text-quiet">{t('Shown once it is saved.')}</p>
      ) : (
        <CopyText text={address} label={t('Copy the redirect address')} />
      )}
    </div>
  );
}

type UrlKey = 'custom_issuer' | 'custom_authorize_url' | 'custom_token_url';
/** What the form changes; what else the arrangement tells is no field of it. */
type Draft = Omit<
  Arrangement,
  'scopes' | 'has_client_secret' | 'callback_url' | 'connect_url' | 'lists_connection'
> & {
  readonly scopes: string;
  readonly client_secret: string;
};

const labels: Partial<Record<keyof Draft, string>> = {
  egress_auth_mode: t('Whose credential'),
  egress_provider: t('Service'),
  client_id: t('Client id'),
  client_secret: t('Client secret'),
  scopes: t('Scopes'),
  target_audience: t('Audience'),
  custom_issuer: t('Issuer'),
  custom_authorize_url: t('Authorization URL'),
  custom_token_url: t('Token URL'),
  token_auth_method: t('The client secret goes'),
  audience_parameter: t('The audience goes'),
  header_name: t('Header'),
  header_prefix: t('Before the token'),
  max_days: t('Kept for at most (days)'),
  discovery: t('Who reads its tools'),
};

function draftOf(stored: Arrangement): Draft {
  const { has_client_secret: _, callback_url: _c, connect_url: _u, lists_connection: _l, ...fields } = stored;
  return { ...fields, scopes: stored.scopes.join(' '), client_secret: '' };
}

/** What a form says, as the API takes it: only what the mode needs, so that nothing of another stays behind. */
function bodyOf(draft: Draft) {
  const { egress_auth_mode: mode, client_secret } = draft;
  const given = (text: string | null) => text?.trim() || null;
  if (mode === 'none' || mode === 'operator_credential') return { egress_auth_mode: mode };
  if (mode === 'pat') {
    const { header_name, header_prefix, max_days } = draft;
    const discovery = discoveryFor(mode, draft.discovery);
    return { egress_auth_mode: mode, header_name, header_prefix, max_days, discovery };
  }
  const custom = mode !== 'oauth_user' || draft.egress_provider === 'custom';
  return {
    egress_auth_mode: mode,
    egress_provider: mode === 'oauth_user' ? draft.egress_provider : ('custom' as const),
    client_id: given(draft.client_id),
    ...(client_secret === '' ? {} : { client_secret }),
    scopes: draft.scopes.split(/\s+/).filter(Boolean),
    target_audience: given(draft.target_audience),
    ...{ audience_parameter: draft.audience_parameter, token_auth_method: draft.token_auth_method },
    custom_issuer: custom ? given(draft.custom_issuer) : null,
    custom_authorize_url: custom && mode === 'oauth_user' ? given(draft.custom_authorize_url) : null,
    custom_token_url: custom ? given(draft.custom_token_url) : null,
    ...{ header_name: draft.header_name, header_prefix: draft.header_prefix },
    discovery: discoveryFor(mode, draft.discovery),
  };
}

function faultOf(error: unknown, key: string): string | undefined {
  const faults = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  const found = faults.filter(({ at }) => at === `body.${key}` || at.startsWith(`body.${key}.`));
  return found.length > 0 ? found.map(({ message }) => message).join('\n') : undefined;
}
