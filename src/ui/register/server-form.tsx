import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useRef, useState } from 'react';
import { ApiError, api, type Server, serverKey, serversQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { isChangedMeanwhile, SaveProblem } from '../controls/fields/changed-meanwhile.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { forgetSave, type Draft as KeptDraft } from '../controls/fields/use-draft.ts';
import { announce } from '../controls/toasts.tsx';
import { t } from '../words/words.ts';
import {
  credentialOf,
  type Draft,
  type DraftFaults,
  type DraftField,
  definitionOf,
  draftOf,
  faultsOf,
  fieldAt,
  ownAccounts,
} from './server-draft.ts';

const labels: Partial<Record<DraftField, string>> = {
  server_name: t('Name'),
  proxy_pass_url: t('URL of the server'),
  description: t('Description'),
  tags: t('Tags'),
  transport: t('Transport'),
  auth_scheme: t('Authentication to the server'),
  auth_credential: t('Credential'),
  auth_header_name: t('Header'),
  endpoint: t('Exact endpoint'),
};

/** The form of a server, a new one or one that is registered; held to the schemas of the API while it is filled in. */
export function ServerForm({ draft: kept, server }: { draft: KeptDraft<Draft>; server?: Server }) {
  const draft = kept.now;
  const form = useRef<HTMLFormElement>(null);
  const [touched, setTouched] = useState(false);
  const stored = server?.auth_scheme ?? 'none';
  const save = useSave(draft, server);
  const faults = { ...(touched ? faultsOf(draft, stored) : {}), ...faultsSaid(save.error) };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTouched(true);
    if (save.isPending) return;
    if (Object.keys(faultsOf(draft, stored)).length === 0) return save.mutate();
    // After the faults are on the page.
    setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const field = (name: DraftField) => ({
    value: draft[name],
    onChange: (text: string) => {
      forgetSave(save);
      kept.change({ [name]: text });
    },
    fault: faults[name],
  });
  return (
    <form ref={form} noValidate onSubmit={submit} aria-label={t('Server')} className="grid max-w-3xl gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField label={t('Name')} {...field('server_name')} />
        <TextField
          label={t('Path')}
          {...field('path')}
          readOnly={server !== undefined}
          hint={
            server
              ? t('The path cannot be changed: clients and scopes refer to it.')
              : t('Where clients find it, such as /docs')
          }
        />
      </div>
      {!server && <Twin draft={draft} />}
      <TextField label={t('URL of the server')} type="url" {...field('proxy_pass_url')} />
      <TextField
        label={t('Exact endpoint')}
        type="url"
        {...field('endpoint')}
        hint={t('Only where it is not /mcp or /sse at that URL')}
      />
      <TextField label={t('Description')} rows={3} {...field('description')} />
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField label={t('Tags')} hint={t('Separated by commas')} {...field('tags')} />
        <TextField
          label={t('Transport')}
          {...field('transport')}
          options={[
            ['streamable-http', 'Streamable HTTP'],
            ['sse', 'SSE'],
            ['streamable-http, sse', t('Both')],
          ]}
        />
      </div>
      <CredentialFields draft={draft} stored={stored} field={field} />
      <SaveProblem draft={kept} save={save} labels={labels} />
      <div>
        <Button type="submit" look="primary" busy={save.isPending}>
          {save.isPending ? t('Saving …') : server ? t('Save') : t('Register')}
        </Button>
      </div>
    </form>
  );
}

function CredentialFields({
  draft,
  stored,
  field,
}: {
  draft: Draft;
  stored: string;
  field: (name: DraftField) => {
    value: string;
    onChange: (text: string) => void;
    fault: string | undefined;
  };
}) {
  const keeps = draft.auth_scheme === stored && stored !== 'none';
  return (
    <div className="grid gap-4 sm:grid-cols-3">
      <TextField
        label={t('Authentication to the server')}
        {...field('auth_scheme')}
        options={[
          ['none', t('None')],
          ['bearer', t('Bearer token')],
          ['api_key', t('API key header')],
          [ownAccounts, t("Each person's own account (OAuth)")],
        ]}
      />
      {draft.auth_scheme !== 'none' && draft.auth_scheme !== ownAccounts && (
        <>
          <TextField
            label={t('Credential')}
            type="password"
            {...field('auth_credential')}
            hint={
              keeps
                ? t('One is stored and never shown. Leave empty to keep it.')
                : t('Stored encrypted, never shown again')
            }
          />
          <TextField
            label={t('Header')}
            {...field('auth_header_name')}
            placeholder={draft.auth_scheme === 'bearer' ? 'Authorization' : 'X-API-Key'}
          />
        </>
      )}
    </div>
  );
}

/** Says that a server of that name, path or address is there already, among those that the caller may see. */
function Twin({ draft }: { draft: Draft }) {
  const { data } = useQuery(serversQuery);
  const same = (a: string, b: string) => a.trim() !== '' && a.trim().toLowerCase() === b.toLowerCase();
  const twin = data?.servers.find(
    ({ server_name, path, proxy_pass_url }) =>
      same(draft.server_name, server_name) ||
      same(draft.path, path) ||
      same(draft.proxy_pass_url, proxy_pass_url ?? ''),
  );
  return (
    <p role="status" className="text-warn empty:hidden">
      {twin && t('{name} at {path} looks like this one.', { name: twin.server_name, path: twin.path })}
    </p>
  );
}

function useSave(draft: Draft, server: Server | undefined) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: () => (server ? change(server, draft) : register(draft)),
    onSuccess: async ({ saved, refusal }) => {
      void queries.invalidateQueries({ queryKey: serversQuery.queryKey });
      void queries.invalidateQueries({ queryKey: [serverKey] });
      if (refusal)
        announce(
          'failed',
          t('{name} is saved, but not its credential. {message}', {
            name: saved.server_name,
            message: refusal.message,
          }),
        );
      else
        announce(
          'done',
          saved.is_enabled
            ? t('{name} is saved.', { name: saved.server_name })
            : t('{name} is saved, and disabled.', { name: saved.server_name }),
        );
      await navigate({ to: '/servers/$', params: { _splat: saved.path.slice(1) } });
    },
    onError: (error) =>
      isChangedMeanwhile(error) ? queries.invalidateQueries({ queryKey: [serverKey] }) : undefined,
  });
}

async function register(draft: Draft) {
  const credential = credentialOf(draft, 'none');
  // Switched on by its maker once the credential is there: before, its first check would fail.
  const saved = await api('servers.register', {
    body: { ...definitionOf(draft), is_enabled: credential === undefined },
  });
  return { saved, refusal: (await prove(saved, credential)) ?? (await arrange(saved, draft)) };
}

async function change(server: Server, draft: Draft) {
  const { path: _, ...changes } = definitionOf(draft);
  const saved = await api('servers.patch', {
    params: { path: server.path },
    headers: { 'if-match': `"${server.revision}"` },
    body: changes,
  });
  const refusal = await prove(saved, credentialOf(draft, draftOf(server).auth_scheme));
  return { saved, refusal: refusal ?? (await arrange(saved, draft)) };
}

/** Has each person sign in to a server that is saved already; what else was said of that stays. Answers why it was refused. */
async function arrange(saved: Server, draft: Draft): Promise<Error | undefined> {
  if (draft.auth_scheme !== ownAccounts || saved.egress_auth_mode === 'oauth_user') return undefined;
  try {
    const body = { egress_auth_mode: 'oauth_user' as const };
    await api('servers.configureEgress', { params: { path: saved.path }, body });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Stores the credential of a server that is saved already; answers why that was refused. */
async function prove(saved: Server, body: ReturnType<typeof credentialOf>): Promise<Error | undefined> {
  if (!body) return undefined;
  try {
    await api('servers.credential', { params: { path: saved.path }, body });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function faultsSaid(error: unknown): DraftFaults {
  const faults: DraftFaults = {};
  const said = error instanceof ApiError ? (error.problem.errors ?? []) : [];
  for (const { at, message } of said) {
    const field = fieldAt(at);
    if (field) faults[field] ??= message;
  }
  return faults;
}
