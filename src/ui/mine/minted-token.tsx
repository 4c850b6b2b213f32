import { Download } from 'lucide-react';
import { useEffect, useRef } from 'react';
import type { api } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { CopyButton } from '../controls/copy.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { parts, t } from '../words/words.ts';

type Minted = Awaited<ReturnType<typeof api<'tokens.generate'>>>;

/** A token just made: the JSON that the command line takes as token file, ways to keep it, and what to do next. */
export function MintedToken({ minted, onDone }: { minted: Minted; onDone: () => void }) {
  const title = useRef<HTMLParagraphElement>(null);
  const json = JSON.stringify(minted, null, 2);
  const file = `mcp-gateway-token-${new Date().toISOString().slice(0, 10)}.json`;
  // The form that had the focus is gone; without this it would fall back to the top of the dialog.
  useEffect(() => title.current?.focus(), []);
  return (
    <div className="grid gap-4">
      <p ref={title} tabIndex={-1} className="outline-none">
        {parts('{ready} Copy or download it now: it cannot be shown again. It expires {time}.', {
          ready: <strong className="font-semibold">{t('The token is ready.')}</strong>,
          time: <RelativeTime iso={minted.expires_at} />,
        })}
      </p>
      <section
        aria-label={t('Token')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        className="max-h-32 overflow-auto rounded-md border border-line bg-sunken p-3"
      >
        <pre className="font-mono text-code break-all whitespace-pre-wrap">{minted.tokens.access_token}</pre>
      </section>
      <div className="flex flex-wrap gap-2">
        <CopyButton text={minted.tokens.access_token} label={t('Copy token')} />
        <Button onClick={() => download(file, json)}>
          <Download size={15} aria-hidden />
          {t('Download token file')}
        </Button>
      </div>
      <details>
        <summary className="w-fit rounded-sm text-quiet underline underline-offset-4">
          {t('Token file for the command line')}
        </summary>
        <section
          aria-label={t('Token file')}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
          tabIndex={0}
          className="mt-2 mb-2 max-h-56 overflow-auto rounded-md border border-line bg-sunken p-3"
        >
          <pre className="font-mono text-code break-all whitespace-pre-wrap">{json}</pre>
        </section>
        <CopyButton text={json} label={t('Copy JSON')} />
      </details>
      <section className="grid gap-2">
        <h3 className="font-semibold">{t('Use it')}</h3>
        <Command
          label={t('With the command line')}
          text={`mcp-gateway --registry-url ${location.origin} --token-file ${file} server list`}
        />
        <Command
          label={t('With curl')}
          text={`TOKEN=$(jq -r .tokens.access_token ${file})\ncurl -H "Authorization: Bearer $TOKEN" ${location.origin}/api/servers`}
        />
      </section>
      <div className="flex justify-end">
        <Button look="primary" onClick={onDone}>
          {t('Done')}
        </Button>
      </div>
    </div>
  );
}

function Command({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <p className="text-meta text-quiet">{label}</p>
      <pre className="rounded-md border border-line bg-sunken px-3 py-2 font-mono text-code break-all whitespace-pre-wrap">
        {text}
      </pre>
    </div>
  );
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
