import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Server } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { pageToken } from './page-token.ts';

interface Offer {
  readonly name: string;
  readonly about: string;
  /** What it needs to be told, or where it is. */
  readonly more: string;
}

/** What a server offers besides tools, as the caller gets it through the gateway; asked only when wanted. */
export function Offers({ server }: { server: Server }) {
  const [wanted, setWanted] = useState(false);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['offers', server.path],
    queryFn: () => ask(server),
    enabled: wanted,
    staleTime: 60_000,
  });
  return (
    <section aria-label="Prompts and resources" className="grid min-w-0 content-start gap-2">
      <h2 className="text-lead font-semibold">Prompts and resources</h2>
      {!wanted && (
        <div className="grid justify-items-start gap-2">
          <p className="text-quiet">These are not kept here; the server is asked as you.</p>
          <Button onClick={() => setWanted(true)}>Ask the server</Button>
        </div>
      )}
      {isFetching && <Pending />}
      {error && !isFetching && <Problem error={error} retry={() => void refetch()} />}
      {data && (
        <>
          <OfferList title="Prompts" offers={data.prompts} />
          <OfferList title="Resources" offers={data.resources} />
          <OfferList title="Resource templates" offers={data.templates} />
        </>
      )}
    </section>
  );
}

function OfferList({ title, offers }: { title: string; offers: readonly Offer[] }) {
  return (
    <section aria-label={title}>
      <h3 className="font-semibold">
        {title} <span className="font-normal text-quiet">{offers.length}</span>
      </h3>
      {offers.length === 0 ? (
        <p className="text-quiet">None that you may use.</p>
      ) : (
        <ul className="mt-1 rounded-md border border-line bg-raised">
          {offers.map(({ name, about, more }) => (
            <li key={`${name} ${more}`} className="border-b border-line px-3 py-2 last:border-0">
              <p className="font-mono text-code font-semibold">{name}</p>
              {about && <p>{about}</p>}
              {more && <p className="font-mono text-code text-quiet">{more}</p>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

async function ask(server: Server) {
  const [{ withServer }, token] = await Promise.all([import('./gateway-client.ts'), pageToken()]);
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
      prompts: prompts.map(({ name, description = '', arguments: needs = [] }): Offer => {
        const words = needs.map((one) => (one.required ? `${one.name} (required)` : one.name));
        return { name, about: description, more: words.join(', ') };
      }),
      resources: resources.map(
        ({ name, description = '', uri }): Offer => ({ name, about: description, more: uri }),
      ),
      templates: templates.map(
        ({ name, description = '', uriTemplate }): Offer => ({ name, about: description, more: uriTemplate }),
      ),
    };
  });
}
