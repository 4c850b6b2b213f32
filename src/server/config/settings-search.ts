import { integer, setting, text, url, wrong } from './setting.ts';

/** The settings of the search: a part of `settings`. */
export const searchSettings = {
  SEARCH_REQUESTS_PER_MINUTE: setting({
    group: 'Search',
    about:
      'How many searches one person or agent may make in a minute; more get 429. 0: as many as they like.',
    default: '6000',
    parse: integer(0, 1_000_000),
  }),
  SEARCH_EMBEDDINGS_URL: setting({
    group: 'Search',
    about:
      'A service of embeddings with the API of OpenAI, up to and without `/embeddings`, such as https://api.openai.com/v1: it ' +
      'gets the names and descriptions of what is registered, and each query. Without one, nothing leaves the gateway.',
    default: '',
    parse: url,
  }),
  SEARCH_EMBEDDINGS_MODEL: setting({
    group: 'Search',
    about: 'The model that the service of embeddings is asked for.',
    default: 'text-embedding-3-small',
    parse: text,
  }),
  SEARCH_EMBEDDINGS_KEY: setting({
    group: 'Search',
    about: 'The key of the service of embeddings, sent as a bearer token.',
    default: '',
    secret: true,
    parse: text,
  }),
  WELL_KNOWN_SERVERS: setting({
    group: 'Search',
    about:
      'Which servers anyone can find without signing in, at `/.well-known/mcp-servers` and `/.well-known/mcp/catalog.json`: ' +
      '`none` (both are 404), `all` that are enabled, or `tag:NAME`, those of them with a tag. Names, descriptions, tags and ' +
      'addresses are shown, never tools.',
    default: 'none',
    parse: publicServers,
  }),
} as const;

/** What is public of the servers here. */
export type PublicServers =
  | { readonly are: 'none' | 'all' }
  | { readonly are: 'tagged'; readonly tag: string };

function publicServers(value: string): PublicServers {
  if (value === 'none' || value === 'all') return { are: value };
  const tag = value.startsWith('tag:') ? value.slice(4).trim().toLowerCase() : '';
  return tag === '' ? wrong("must be 'none', 'all' or 'tag:NAME'") : { are: 'tagged', tag };
}
