import type { Client } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { type Tool, tool as toolSchema } from '../../../../contract/servers/servers.ts';
import { looksLikeEvery } from '../../../../contract/values/names.ts';
import type { Offered, Offers } from '../store.ts';

const page = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().optional() });

interface Until {
  readonly signal: AbortSignal;
  readonly timeout: number;
}

interface Bounds {
  readonly maxTools: number;
  readonly maxBytes: number;
}

/**
 * A tool as clients take it (MCP, Tools: `inputSchema` is an object schema): many refuse a whole list for one entry that is
 * none.
 */
const validTool = toolSchema.extend({ inputSchema: z.looseObject({ type: z.literal('object') }) });

/** Names of entries that are kept, and characters of the detail's words for them. */
const [mostInvalid, mostNamed] = [200, 5];

/**
 * Reads `tools/list` page by page. Entries that are no tools are left out, and so is what exceeds the bounds, of which
 * `detail` tells; `invalid` are the names of what was left out, where it has one.
 */
export async function readTools(
  client: Client,
  until: Until,
  { maxTools, maxBytes }: Bounds,
): Promise<{ tools: Tool[]; invalid: string[]; detail: string | null }> {
  const tools: Tool[] = [];
  const named = new Set<string>();
  let [invalid, bytes] = [0, 0];
  let cursor: string | undefined;
  for (let pages = 0; pages < 64; pages++) {
    const params = cursor === undefined ? {} : { cursor };
    const listed = await client.request({ method: 'tools/list', params }, page, until);
    for (const entry of listed.tools) {
      const parsed = validTool.safeParse(entry);
      // A tool called like the wildcard could be granted only with every other one.
      if (parsed.success && !looksLikeEvery(parsed.data.name)) tools.push(parsed.data);
      else {
        invalid++;
        const { name } = Object(entry) as { name?: unknown };
        if (typeof name === 'string' && named.size < mostInvalid) named.add(name);
      }
    }
    bytes += JSON.stringify(listed.tools).length;
    cursor = listed.nextCursor;
    if (cursor === undefined || tools.length > maxTools || bytes > maxBytes) break;
  }
  const cut = cursor !== undefined || tools.length > maxTools;
  const kept = tools.slice(0, maxTools);
  const detail = [
    ...(invalid > 0
      ? [`${invalid} of its tools are not valid and were left out${inBrackets([...named])}.`]
      : []),
    ...(cut ? [`It has more tools than the ${kept.length} that are shown here.`] : []),
  ];
  return { tools: kept, invalid: [...named], detail: detail.join(' ') || null };
}

function inBrackets(names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, mostNamed).map((name) => name.slice(0, 60));
  return ` (${shown.join(', ')}${names.length > mostNamed ? ' and more' : ''})`;
}

/**
 * Reads the prompts, resources and resource templates of a server, as far as it says that it has any and within the same
 * bounds. A list that cannot be read is empty: the server's tools are of use without it.
 */
export async function readOffers(client: Client, until: Until, limits: Bounds): Promise<Offers> {
  const capabilities = client.getServerCapabilities() ?? {};
  const list = async (method: string, member: string, named: string, there: unknown): Promise<Offered[]> =>
    there ? readList(client, { method, member, named }, until, limits).catch(() => []) : [];
  const { prompts, resources } = capabilities;
  return {
    prompts: await list('prompts/list', 'prompts', 'name', prompts),
    resources: await list('resources/list', 'resources', 'uri', resources),
    resourceTemplates: await list('resources/templates/list', 'resourceTemplates', 'uriTemplate', resources),
    capabilities: { ...capabilities },
  };
}

async function readList(
  client: Client,
  { method, member, named }: { method: string; member: string; named: string },
  until: Until,
  { maxTools, maxBytes }: Bounds,
): Promise<Offered[]> {
  const found: Offered[] = [];
  let [cursor, bytes]: [string | undefined, number] = [undefined, 0];
  for (let pages = 0; pages < 64; pages++) {
    const params: Record<string, string> = cursor === undefined ? {} : { cursor };
    const listed = offeredPage.parse(await client.request({ method, params }, offeredPage, until));
    const items = z.array(z.looseObject({ [named]: z.string() })).safeParse(listed[member]);
    if (!items.success) break;
    found.push(...items.data);
    bytes += JSON.stringify(items.data).length;
    cursor = listed.nextCursor;
    if (cursor === undefined || found.length >= maxTools || bytes > maxBytes) break;
  }
  return found.slice(0, maxTools);
}

const offeredPage = z.looseObject({ nextCursor: z.string().optional() });
