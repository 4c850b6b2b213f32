import { longestQuery } from '../../../contract/search.ts';
import type { Hit } from '../../search/search.ts';

/** What a client of the gateway's A2A endpoint sends (JSON-RPC 2.0). */
export interface A2aRequest {
  readonly id?: string | number | null | undefined;
  readonly method: string;
  readonly params?: unknown;
}

/** Finds what a text asks for, the best first. */
export type FindByText = (text: string) => Promise<readonly Hit[]>;

/** The card of the gateway as an agent (A2A 1.0, section 4.4.1). */
export function gatewayCard(publicUrl: string, version: string): Record<string, unknown> {
  return {
    name: 'MCP Gateway & Registry',
    description: 'Finds MCP servers, tools and A2A agents of this organization that you can use.',
    version,
    supportedInterfaces: [
      { url: `${publicUrl}/api/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      { url: `${publicUrl}/api/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '0.3' },
    ],
    capabilities: { streaming: false, pushNotifications: false },
    securitySchemes: { bearer: { httpAuthSecurityScheme: { scheme: 'bearer' } } },
    securityRequirements: [{ schemes: { bearer: { list: [] } } }],
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain', 'application/json'],
    skills: [
      {
        id: 'find',
        name: 'Find tools and agents',
        description: 'Say what you want to do; the reply names the tools, servers and agents that fit.',
        tags: ['search', 'registry', 'discovery'],
        examples: ['create a ticket', 'book a flight'],
      },
    ],
  };
}

/** Replies to a JSON-RPC request: `SendMessage` of A2A 1.0, `message/send` of 0.3; nothing is kept, so that there are no tasks. */
export async function replyTo(
  { id = null, method, params }: A2aRequest,
  find: FindByText,
  newId: () => string,
): Promise<Record<string, unknown>> {
  const failed = (code: number, message: string) => ({ jsonrpc: '2.0', id, error: { code, message } });
  const isOld = method === 'message/send';
  if (method === 'GetTask' || method === 'tasks/get' || method === 'CancelTask' || method === 'tasks/cancel')
    return failed(-32001, 'There is no such task: this agent replies at once.');
  if (method !== 'SendMessage' && !isOld) return failed(-32601, `The method '${method}' is not known here.`);
  const text = textOf(params);
  if (text === '') return failed(-32602, 'Send a message with a part of text: what to find.');
  if (text.length > longestQuery) return failed(-32602, `A query has at most ${longestQuery} characters.`);
  const found = (await find(text)).slice(0, 10).map(({ item, score }) => ({
    ...{
      kind: item.kind,
      path: item.path,
      name: item.name,
      description: item.description.slice(0, 300),
      score,
    },
  }));
  const said =
    found.length === 0
      ? 'Nothing here fits.'
      : found
          .map(({ kind, path, name, description }) => `${kind} ${name} (${path}): ${description}`)
          .join('\n');
  const data = { results: found };
  const messageId = newId();
  if (isOld) {
    const parts = [
      { kind: 'text', text: said },
      { kind: 'data', data },
    ];
    return { jsonrpc: '2.0', id, result: { kind: 'message', messageId, role: 'agent', parts } };
  }
  const message = { messageId, role: 'ROLE_AGENT', parts: [{ text: said }, { data }] };
  return { jsonrpc: '2.0', id, result: { message } };
}

/** The text parts of a message, put together. */
function textOf(params: unknown): string {
  const parts = (params as { message?: { parts?: unknown } } | null)?.message?.parts;
  if (!Array.isArray(parts)) return '';
  return parts
    .map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : ''))
    .join(' ')
    .trim();
}
