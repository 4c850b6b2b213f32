import type { Client } from '@modelcontextprotocol/client';
import { z } from 'zod';
import { type Tool, tool as toolSchema } from '../../../contract/servers.ts';

const page = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().optional() });

/**
 * Reads `tools/list` page by page. Entries that are no tools are left out, and so is what exceeds the bounds, of which
 * `detail` tells.
 */
export async function readTools(
  client: Client,
  until: { signal: AbortSignal; timeout: number },
  { maxTools, maxBytes }: { maxTools: number; maxBytes: number },
): Promise<{ tools: Tool[]; detail: string | null }> {
  const tools: Tool[] = [];
  let [invalid, bytes] = [0, 0];
  let cursor: string | undefined;
  for (let pages = 0; pages < 64; pages++) {
    const params = cursor === undefined ? {} : { cursor };
    const listed = await client.request({ method: 'tools/list', params }, page, until);
    for (const entry of listed.tools) {
      const parsed = toolSchema.safeParse(entry);
      if (parsed.success) tools.push(parsed.data);
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
