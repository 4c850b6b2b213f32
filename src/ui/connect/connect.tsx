import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ExternalLink, KeyRound } from 'lucide-react';
import { useId, useState } from 'react';
import { api, type Server, tokensQuery } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { CopyButton } from '../controls/copy.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { ConnectionTest } from '../server/connection-test.tsx';
import { type ClientName, clients, setupOf } from './connect-clients.ts';

type Minted = Awaited<ReturnType<typeof api<'tokens.generate'>>>;

/** The dialog that sets up a program for a server. A token made in it lives in this component only. */
export function Connect({ server, onClose }: { server: Server; onClose: () => void }) {
  const [client, setClient] = useState<ClientName>('VS Code');
  const [minted, setMinted] = useState<Minted>();
  const token = minted?.tokens.access_token ?? null;
  const { link, where, text } = setupOf(client, server, token);
  return (
    <Dialog title={`Connect to ${server.server_name}`} onClose={onClose}>
      <div className="grid gap-4">
        <ClientChoice chosen={client} onChoose={setClient} />
        <FreshToken server={server} minted={minted} onMinted={setMinted} />
        {link !== undefined && (
          <div className="grid justify-items-start gap-1">
            <a href={link} className={buttonClass('primary')}>
              <ExternalLink size={15} aria-hidden />
              Add to {client}
            </a>
            <p className="text-meta text-quiet">
              The link holds no token:{' '}
              {client === 'VS Code'
                ? 'VS Code asks for it once and keeps it encrypted'
                : 'Cursor reads it from the variable MCP_GATEWAY_TOKEN'}
              .
            </p>
          </div>
        )}
        <section aria-label={`Configuration for ${client}`} className="grid gap-2">
          <p className="text-meta text-quiet">{where}</p>
          <section
            aria-label="Text to copy"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
            tabIndex={0}
            className="max-h-64 overflow-auto rounded-md border border-line bg-sunken p-3"
          >
            <pre className="font-mono text-code break-all whitespace-pre-wrap">{text}</pre>
          </section>
          <div>
            <CopyButton text={text} label={`Copy for ${client}`} />
          </div>
        </section>
        <ConnectionTest server={server} token={token} />
      </div>
    </Dialog>
  );
}

function ClientChoice({ chosen, onChoose }: { chosen: ClientName; onChoose: (client: ClientName) => void }) {
  const name = useId();
  return (
    <fieldset className="flex flex-wrap gap-1">
      <legend className="sr-only">Program to connect</legend>
      {clients.map((client) => (
        <label
          key={client}
          className="relative flex h-8 items-center rounded-md border border-line px-2.5 text-quiet hover:text-ink has-checked:border-edge has-checked:bg-hover has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name={name}
            checked={client === chosen}
            onChange={() => onChoose(client)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          {client}
        </label>
      ))}
    </fieldset>
  );
}

function FreshToken({
  server,
  minted,
  onMinted,
}: {
  server: Server;
  minted: Minted | undefined;
  onMinted: (minted: Minted) => void;
}) {
  const queries = useQueryClient();
  const mint = useMutation({
    mutationFn: () =>
      api('tokens.generate', { body: { description: `Connect ${server.path}`.slice(0, 200) } }),
    onSuccess: (made) => {
      onMinted(made);
      void queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
  });
  if (minted)
    return (
      <p role="status">
        The text below holds a fresh token, shown only now. It expires{' '}
        <RelativeTime iso={minted.expires_at} />.
      </p>
    );
  return (
    <div className="grid justify-items-start gap-2">
      <p className="text-quiet">
        The text below names a place for your token. It can hold a fresh one instead: with your scopes, kept
        nowhere else.
      </p>
      {mint.error && <Problem error={mint.error} />}
      <Button busy={mint.isPending} onClick={() => mint.mutate()}>
        <KeyRound size={15} aria-hidden />
        Put in a fresh token
      </Button>
    </div>
  );
}
