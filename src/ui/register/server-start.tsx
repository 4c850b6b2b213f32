import { useMutation } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useState } from 'react';
import { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { ImportFile } from './import-file.tsx';
import { type Draft, emptyDraft, endpointOf, ownAccounts } from './server-draft.ts';

/** Two ways to fill in the form of a new server: look at its address, or read a file. */
export function ServerStart({ draft, onDraft }: { draft: Draft; onDraft: (draft: Draft) => void }) {
  return (
    <div className="mb-6 grid max-w-3xl gap-4 rounded-lg border border-line bg-raised p-4">
      <Probe draft={draft} onDraft={onDraft} />
      <ImportFile onDraft={onDraft} />
    </div>
  );
}

function Probe({ draft, onDraft }: { draft: Draft; onDraft: (draft: Draft) => void }) {
  const [url, setUrl] = useState('');
  const look = useMutation({
    mutationFn: (_before: Draft) => api('servers.probe', { body: { url: url.trim() } }),
    onSuccess: (found, before) =>
      onDraft({
        ...emptyDraft,
        ...found.suggested,
        proxy_pass_url: found.proxy_pass_url,
        endpoint: endpointOf(found.proxy_pass_url),
        transport: found.transport ?? emptyDraft.transport,
        auth_scheme: found.takes_accounts ? ownAccounts : found.needs_credential ? 'bearer' : 'none',
        // What was entered while the server was looked at stays.
        ...(Object.fromEntries(
          Object.entries(draft).filter(([key, value]) => value !== before[key as keyof Draft]),
        ) as Partial<Draft>),
      }),
  });
  const found = look.data;
  return (
    <form
      aria-label={t('Look at an address')}
      noValidate
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!look.isPending) look.mutate(draft);
      }}
    >
      <TextField label={t('Paste the URL of a server')} type="url" value={url} onChange={setUrl} />
      <div>
        <Button type="submit" busy={look.isPending}>
          <Search size={15} aria-hidden />
          {look.isPending ? t('Detecting …') : t('Detect')}
        </Button>
      </div>
      {look.error && !look.isPending && <Problem error={look.error} />}
      <div role="status" className="grid gap-1 empty:hidden">
        {found && <p>{wordsFor(found)}</p>}
        {found?.duplicates.map(({ path, server_name }) => (
          <p key={path} className="text-warn">
            {t('It is registered already: {name} at {path}.', { name: server_name, path })}
          </p>
        ))}
      </div>
    </form>
  );
}

type Found = Awaited<ReturnType<typeof api<'servers.probe'>>>;

function wordsFor(found: Found): string {
  if (found.transport === null)
    return t('No MCP server was found there. {detail}', { detail: found.detail ?? '' });
  if (found.takes_accounts === 'ready')
    return t(
      'There is a server, and each person signs in to it with their own account. The form is filled in below.',
    );
  if (found.takes_accounts)
    return t(
      'There is a server, and each person signs in to it with their own account. Register the gateway as a client there first, and give its client id with `mcp-gateway connection configure`.',
    );
  if (found.needs_credential) return t('There is a server that needs a credential: enter it below.');
  const names = found.tools.map(({ name }) => name);
  const few = names.slice(0, 5).join(', ') + (names.length > 5 ? ', …' : '');
  const how = found.transport === 'sse' ? 'SSE' : 'Streamable HTTP';
  return t('Found by {how}, MCP {protocolVersion}: {n} tools ({few}). The form is filled in below.', {
    how,
    protocolVersion: found.protocol_version ?? 'unknown',
    n: names.length,
    few,
  });
}
