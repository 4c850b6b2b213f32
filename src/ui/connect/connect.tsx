import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ExternalLink, KeyRound } from 'lucide-react';
import { useId, useState } from 'react';
import { api, type Server, tokensQuery } from '../api.ts';
import { Button, buttonClass } from '../controls/button.tsx';
import { CopyButton } from '../controls/copy.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { parts, t } from '../words/words.ts';
import { type ClientName, clients, setupOf, signsIn } from './connect-clients.ts';
import { ConnectionTest } from './connection-test.tsx';

type Minted = Awaited<ReturnType<typeof api<'tokens.generate'>>>;

const stored = 'mcp-gateway-client';

/**
 * The dialog that sets up a program for a server: it signs in by itself or, where it cannot, uses a token. A token made in
 * the dialog lives in this component only. The program is remembered on the device.
 */
export function Connect({ server, onClose }: { server: Server; onClose: () => void }) {
  const [client, setClient] = useState<ClientName>(lastClient);
  const [minted, setMinted] = useState<Minted>();
  const [wantsToken, setWantsToken] = useState(false);
  const token = minted?.tokens.access_token ?? null;
  const canSignIn = signsIn(client, server);
  const itself = canSignIn && !wantsToken;
  const { link, where, text } = setupOf(client, server, itself ? 'sign-in' : token);
  const choose = (one: ClientName) => {
    setClient(one);
    try {
      localStorage.setItem(stored, one);
    } catch {
      // Storage is switched off: the choice lasts as long as the dialog.
    }
  };
  return (
    <Dialog title={t('Connect to {name}', { name: server.server_name })} onClose={onClose}>
      <div className="grid gap-5">
        <Choice
          legend={t('Program to connect')}
          options={clients.map((one) => [one, one] as const)}
          chosen={client}
          onChoose={choose}
        />
        {canSignIn && (
          <Choice
            legend={t('How it authenticates')}
            options={[
              ['sign-in', t('Sign in from the client')],
              ['token', t('Use a token')],
            ]}
            chosen={itself ? 'sign-in' : 'token'}
            onChoose={(one) => setWantsToken(one === 'token')}
          />
        )}
        {itself ? (
          <p className="text-quiet">
            {t(
              '{client} opens your browser to sign in when it first connects. There is no token to copy or renew.',
              {
                client,
              },
            )}
          </p>
        ) : (
          <FreshToken server={server} minted={minted} onMinted={setMinted} />
        )}
        <section aria-label={t('Configuration for {client}', { client })} className="grid gap-2">
          <p className="text-meta text-quiet">{where}</p>
          <section
            aria-label={t('Text to copy')}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
            tabIndex={0}
            className="max-h-64 overflow-auto rounded-md border border-line bg-sunken p-3"
          >
            <pre className="font-mono text-code break-all whitespace-pre-wrap">{text}</pre>
          </section>
          <div className="flex flex-wrap items-center gap-2">
            {link !== undefined && (
              <a href={link} className={buttonClass('primary')}>
                <ExternalLink size={15} aria-hidden />
                {t('Add to {client}', { client })}
              </a>
            )}
            <CopyButton text={text} label={t('Copy for {client}', { client })} />
          </div>
          {link !== undefined && !itself && (
            <p className="text-meta text-quiet">
              {client === 'VS Code'
                ? t('The link contains no token: VS Code asks for it once and stores it encrypted.')
                : t('The link contains no token: Cursor reads it from the variable MCP_GATEWAY_TOKEN.')}
            </p>
          )}
        </section>
        <ConnectionTest server={server} token={token} />
      </div>
    </Dialog>
  );
}

function Choice<T extends string>({
  legend,
  options,
  chosen,
  onChoose,
}: {
  legend: string;
  options: readonly (readonly [value: T, words: string])[];
  chosen: T;
  onChoose: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset className="flex flex-wrap gap-1">
      <legend className="mb-1.5 text-meta font-medium text-quiet">{legend}</legend>
      {options.map(([value, words]) => (
        <label
          key={value}
          className="relative flex h-8 items-center rounded-md border border-line px-2.5 text-quiet hover:text-ink has-checked:border-edge has-checked:bg-hover has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name={name}
            checked={value === chosen}
            onChange={() => onChoose(value)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          {words}
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
      api('tokens.generate', {
        body: { description: `Connect ${server.path}`.slice(0, 200) },
      }),
    onSuccess: (made) => {
      onMinted(made);
      void queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
    },
  });
  if (minted)
    return (
      <div role="status" className="grid justify-items-start gap-2">
        <p>
          {parts('The configuration contains a new token, which is shown only here. It expires {time}.', {
            time: <RelativeTime iso={minted.expires_at} />,
          })}
        </p>
        <CopyButton text={minted.tokens.access_token} label={t('Copy only the token')} />
      </div>
    );
  return (
    <div className="grid justify-items-start gap-2">
      <p className="text-quiet">
        {t(
          'The configuration has a placeholder for your token. You can insert a new token with your scopes instead; it is shown only here.',
        )}
      </p>
      {mint.error && <Problem error={mint.error} />}
      <Button busy={mint.isPending} onClick={() => mint.mutate()}>
        <KeyRound size={15} aria-hidden />
        {t('Insert a new token')}
      </Button>
    </div>
  );
}

function lastClient(): ClientName {
  try {
    const last = localStorage.getItem(stored);
    return clients.find((one) => one === last) ?? 'VS Code';
  } catch {
    return 'VS Code';
  }
}
