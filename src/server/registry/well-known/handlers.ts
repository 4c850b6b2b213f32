import { type Handlers, type Output, Reply } from '../../../contract/endpoint.ts';
import type { wellKnownEndpoints } from '../../../contract/servers/well-known.ts';
import type { Caller } from '../../access/caller.ts';
import type { PublicServers } from '../../config/settings-search.ts';
import { Failure } from '../../failure/errors.ts';
import type { Identity } from '../../identity/identity.ts';
import type { Finder } from '../../search/finder.ts';
import type { Item } from '../../search/item.ts';
import { dotted } from '../official/list.ts';
import { gatewayCard, replyTo } from './agent.ts';

/** What the well-known documents are made from. */
export interface WellKnownWorld {
  readonly publicServers: PublicServers;
  /** The gateway's own URL as clients know it. */
  readonly publicUrl: string;
  /** The servers that are switched on, in memory; the same list until one of them changes. */
  readonly enabledServers: () => Promise<readonly Item[]>;
  readonly finder: Pick<Finder<Identity>, 'search'>;
  readonly version: string;
  readonly newId: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type Table = typeof wellKnownEndpoints;

const cached = { 'cache-control': 'public, max-age=300', 'access-control-allow-origin': '*' };
const cardSchema = 'https://static.modelcontextprotocol.io/schemas/v2/server-card.schema.json';

/** The functions behind the documents by which programs find what is here. */
export function wellKnownHandlers(world: WellKnownWorld): Handlers<Table, Caller<Identity>> {
  const { publicUrl, now } = world;
  return {
    async 'wellKnown.servers'() {
      const servers = (await shown(world)).map((item) => ({
        ...{ id: item.path.slice(1), name: item.name, description: item.description, tags: [...item.tags] },
        mcp: { transport: remoteOf(item, publicUrl).type, url: remoteOf(item, publicUrl).url },
        authentication: {
          type: 'oauth2' as const,
          resource_metadata: `${publicUrl}/.well-known/oauth-protected-resource${item.path}/${lastOf(item)}`,
        },
      }));
      const _meta = { registry: publicUrl, updated_at: new Date(now()).toISOString() };
      return new Reply({ servers, _meta }, cached);
    },
    async 'wellKnown.catalog'() {
      const host = new URL(publicUrl).hostname;
      const entries = (await shown(world)).map(({ path, name }) => ({
        identifier: `urn:air:${host}:${path.slice(1).replaceAll('/', ':')}`,
        displayName: name,
        type: 'application/mcp-server-card+json',
        url: `${publicUrl}/.well-known/mcp/server-cards${path}`,
      }));
      return new Reply({ specVersion: 'draft' as const, entries }, cached);
    },
    async 'wellKnown.card'({ params }) {
      const item = (await shown(world)).find(({ path }) => path === params.path);
      if (!item) throw new Failure('not_found', `There is no public server at '${params.path}'.`);
      return new Reply(cardOf(item, publicUrl), cached);
    },
    'wellKnown.agentCard': () => new Reply(gatewayCard(publicUrl, world.version), cached),
    'wellKnown.a2a': ({ body }, { identity, note }) => {
      note({ method: body.method });
      const find = async (text: string) => (await world.finder.search(identity, text)).hits;
      return replyTo(body, find, world.newId);
    },
  };
}

async function shown({ publicServers, enabledServers }: WellKnownWorld): Promise<readonly Item[]> {
  if (publicServers.are === 'none')
    throw new Failure(
      'not_found',
      'This gateway makes no servers public. Sign in to list them, or ask an administrator to set WELL_KNOWN_SERVERS.',
    );
  const servers = await enabledServers();
  if (publicServers.are !== 'tagged') return servers;
  return servers.filter(({ tags }) => tags.some((tag) => tag.toLowerCase() === publicServers.tag));
}

/** What is kept of a server besides its texts. */
interface Said {
  readonly supported_transports?: readonly string[];
  readonly version?: string | null;
}

function saidOf({ definition }: Item): Said {
  return definition === null ? {} : (JSON.parse(definition) as Said);
}

function lastOf(item: Item): 'mcp' | 'sse' {
  return saidOf(item).supported_transports?.includes('streamable-http') === false ? 'sse' : 'mcp';
}

function remoteOf(item: Item, publicUrl: string): Output<Table['wellKnown.card']>['remotes'][number] {
  const last = lastOf(item);
  return { type: last === 'mcp' ? 'streamable-http' : 'sse', url: `${publicUrl}${item.path}/${last}` };
}

/** The name of a card is the gateway's host backwards and, behind one slash, the server's path. */
function cardOf(item: Item, publicUrl: string): Output<Table['wellKnown.card']> {
  const host = new URL(publicUrl).hostname.split('.').reverse().join('.');
  return {
    $schema: cardSchema,
    name: `${host}/${dotted(item.path)}`,
    version: saidOf(item).version ?? '1.0.0',
    title: item.name.slice(0, 100),
    description: item.description.slice(0, 100),
    remotes: [remoteOf(item, publicUrl)],
  };
}
