import { useMutation, useQuery } from '@tanstack/react-query';
import { ChevronRight, Play } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import type { Server } from '../api.ts';
import { pageToken } from '../connect/page-token.ts';
import { Button } from '../controls/button.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { ToolResult } from './tool-result.tsx';

/** A prompt, a resource or a template of resources, as far as a person is shown it. */
interface Offer {
  readonly kind: 'prompt' | 'resource' | 'template';
  readonly name: string;
  readonly about: string;
  /** The URI of a resource or the template of one. */
  readonly uri: string;
  /** What it needs to be told. */
  readonly needs: readonly { readonly name: string; readonly required: boolean }[];
}

/** What a server offers besides tools, as the caller gets it through the gateway; each can be run or read. */
export function Offers({ server }: { server: Server }) {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['offers', server.path],
    queryFn: () => ask(server),
    staleTime: 60_000,
    enabled: server.is_enabled,
  });
  if (!server.is_enabled)
    return (
      <p className="text-quiet">{t('The server is disabled. Enable it to see its prompts and resources.')}</p>
    );
  return (
    <div className="grid min-w-0 gap-6">
      <p className="max-w-prose text-quiet">
        {t('Prompts and resources are not stored. They are fetched from the server with your permissions.')}
      </p>
      {isPending && <Pending rows={4} />}
      {error && !data && <Problem error={error} retry={() => void refetch()} />}
      {data && (
        <>
          <OfferList server={server} title={t('Prompts')} offers={data.prompts} />
          <OfferList server={server} title={t('Resources')} offers={data.resources} />
          <OfferList server={server} title={t('Resource templates')} offers={data.templates} />
        </>
      )}
    </div>
  );
}

function OfferList({ server, title, offers }: { server: Server; title: string; offers: readonly Offer[] }) {
  return (
    <section aria-label={title} className="grid gap-2">
      <h2 className="text-lead font-semibold">
        {title} <span className="font-normal text-quiet">{offers.length}</span>
      </h2>
      {offers.length === 0 ? (
        <p className="text-quiet">{t('None that you can use.')}</p>
      ) : (
        <ul className="overflow-hidden rounded-lg border border-line bg-raised">
          {offers.map((offer) => (
            <li key={`${offer.name} ${offer.uri}`} className="border-b border-line last:border-0">
              <details className="group">
                <summary className="flex items-start gap-2 px-3 py-2 hover:bg-hover">
                  <ChevronRight
                    size={15}
                    aria-hidden
                    className="mt-0.5 shrink-0 text-quiet motion-safe:transition-transform group-open:rotate-90"
                  />
                  <span className="min-w-0 gap-x-3 sm:flex">
                    <code className="font-mono text-code font-semibold">{offer.name}</code>
                    <span className="block truncate text-quiet group-open:hidden">
                      {offer.about || offer.uri}
                    </span>
                  </span>
                </summary>
                <div className="grid gap-3 px-3 pt-1 pb-3 pl-9">
                  {offer.about && <p className="whitespace-pre-line">{offer.about}</p>}
                  {offer.uri && <p className="font-mono text-code text-quiet">{offer.uri}</p>}
                  <Use server={server} offer={offer} />
                </div>
              </details>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The form that gets a prompt or reads a resource through the gateway, and what came back. */
function Use({ server, offer }: { server: Server; offer: Offer }) {
  const id = useId();
  const [missing, setMissing] = useState('');
  const use = useMutation({ mutationFn: (given: Record<string, string>) => get(server, offer, given) });
  const words = offer.kind === 'prompt' ? t('Get the prompt') : t('Read');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (use.isPending) return;
    const form = new FormData(event.currentTarget);
    const given: Record<string, string> = {};
    for (const [at, { name }] of offer.needs.entries()) {
      const value = String(form.get(`f${at}`) ?? '');
      if (value !== '') given[name] = value;
    }
    const first = offer.needs.find(({ name, required }) => required && given[name] === undefined);
    setMissing(first ? t('{name} is required.', { name: first.name }) : '');
    if (!first) use.mutate(given);
  };
  return (
    <form noValidate onSubmit={submit} aria-label={`${words}: ${offer.name}`} className="grid gap-3">
      {offer.needs.map(({ name, required }, at) => (
        <div key={name} className="max-w-xl">
          <label htmlFor={`${id}-${at}`} className="mb-1 block font-medium">
            {name} {!required && <span className="font-normal text-quiet">({t('optional')})</span>}
          </label>
          <input
            id={`${id}-${at}`}
            name={`f${at}`}
            autoComplete="off"
            aria-required={required}
            className="h-8 w-full rounded-md border border-edge bg-raised px-2.5"
          />
        </div>
      ))}
      <div className="flex flex-wrap items-center gap-2">
        <Button type="submit" busy={use.isPending} aria-label={`${words}: ${offer.name}`}>
          <Play size={14} aria-hidden />
          {words}
        </Button>
        <span role="alert" className="text-bad">
          {missing}
        </span>
      </div>
      {use.error && !use.isPending && <Problem error={use.error} />}
      {use.data && !use.isPending && <ToolResult name={offer.name} {...use.data} />}
    </form>
  );
}

async function get(server: Server, offer: Offer, given: Record<string, string>) {
  const [{ withServer }, token] = await Promise.all([import('../connect/gateway-client.ts'), pageToken()]);
  return withServer(server, token, async ({ client }) => {
    const begun = performance.now();
    const content =
      offer.kind === 'prompt'
        ? (await client.getPrompt({ name: offer.name, arguments: given })).messages.map(
            ({ content: one }) => one,
          )
        : (await client.readResource({ uri: expanded(offer.uri, given) })).contents.map((one) =>
            'text' in one ? { type: 'text', text: one.text } : one,
          );
    return { result: { content }, tookMs: Math.round(performance.now() - begun) };
  });
}

/** A template with its plain `{name}` parts filled in (RFC 6570, level 1). */
function expanded(template: string, given: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(given[name] ?? ''));
}

async function ask(server: Server) {
  const [{ withServer }, token] = await Promise.all([import('../connect/gateway-client.ts'), pageToken()]);
  return withServer(server, token, async ({ client }) => {
    const can = client.getServerCapabilities();
    const prompts = can?.prompts ? (await client.listPrompts()).prompts : [];
    const resources = can?.resources ? (await client.listResources()).resources : [];
    // A server may have resources and know nothing of templates.
    const templates = can?.resources
      ? await client.listResourceTemplates().then(
          (answer) => answer.resourceTemplates,
          () => [],
        )
      : [];
    return {
      prompts: prompts.map(
        ({ name, description = '', arguments: needs = [] }): Offer => ({
          ...{ kind: 'prompt', name, about: description, uri: '' },
          needs: needs.map((one) => ({ name: one.name, required: one.required === true })),
        }),
      ),
      resources: resources.map(
        ({ name, description = '', uri }): Offer => ({
          ...{ kind: 'resource', name, about: description, uri, needs: [] },
        }),
      ),
      templates: templates.map(
        ({ name, description = '', uriTemplate }): Offer => ({
          ...{ kind: 'template', name, about: description, uri: uriTemplate },
          needs: [...uriTemplate.matchAll(/\{(\w+)\}/g)].map(([, one = '']) => ({
            name: one,
            required: true,
          })),
        }),
      ),
    };
  });
}
