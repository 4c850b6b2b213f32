import type { Client } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { looksLikeEvery } from '../../../contract/names.ts';
import { type Tool, tool as toolSchema } from '../../../contract/servers.ts';
import type { Offered, Offers } from './store.ts';

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
 * Reads `tools/list` page by page. Entries that are no tools are left out, and so is what exceeds the bounds, of which
 * `detail` tells.
 */
export async function readTools(
  client: Client,
  until: Until,
  { maxTools, maxBytes }: Bounds,
): Promise<{ tools: Tool[]; detail: string | null }> {
  const tools: Tool[] = [];
  let [invalid, bytes] = [0, 0];
  let cursor: string | undefined;
  for (let pages = 0; pages < 64; pages++) {
    const params = cursor === undefined ? {} : { cursor };
    const listed = await client.request({ method: 'tools/list', params }, page, until);
    for (const entry of listed.tools) {
      const parsed = toolSchema.safeParse(entry);
      // A tool called like the wildcard could be granted only with every other one.
      if (parsed.success && !looksLikeEvery(parsed.data.name)) tools.push(parsed.data);
      else invalid++;
    }
    bytes += JSON.stringify(listed.tools).length;
    cursor = listed.nextCursor;
    if (cursor === undefined || tools.length > maxTools || bytes > maxBytes) break;
  }
  const cut = cursor !== undefined || tools.length > maxTools;
  const kept = tools.slice(0, maxTools);
  const detail = [
    ...(invalid > 0 ? [`${invalid} of its tools are not valid and were left out.`] : []),
    ...(cut ? [`It has more tools than the ${kept.length} that are shown here.`] : []),
  ];
  return { tools: kept, detail: detail.join(' ') || null };
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
