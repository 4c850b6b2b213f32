import { Hono } from 'hono';
import { agentEndpoints } from '../../../contract/agents/agents.ts';
import { accessOf, compile } from '../../access/grants.ts';
import { parseScopes } from '../../access/scope-set.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { createAllow } from '../../db/allowance.ts';
import { type OpenDatabase, openMemory } from '../../db/open.ts';
import type { HttpEnv } from '../../http/env.ts';
import { mount } from '../../http/mount.ts';
import { answerFailure } from '../../http/responses.ts';
import type { Identity } from '../../identity/identity.ts';
import type { OutboundPolicy } from '../../net/addresses.ts';
import { agentHandlers } from './handlers.ts';

/** A card of A2A 1.0, as a client would write it by hand. */
export const cardText = `{
  "name": "Flight booking",
  "description": "Books flights.",   "version": "1.20",
  "supportedInterfaces": [
    { "url": "https://agents.example/flights", "protocolBinding": "JSONRPC", "protocolVersion": "1.0" }
  ],
  "capabilities": { "streaming": true, "x-weight": 1.0, "x-serial": 12345678901234567890 },
  "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
  "skills": [{ "id": "book", "name": "Book a flight", "description": "", "tags": ["tr\\u0061vel"] }],
  "x-team": { "__proto__": 1, "10": "a", "2": "b" }
}`;

/** The same as an object, for what is changed about it. */
export const card = JSON.parse(cardText) as Record<string, unknown>;

/** A card of A2A 0.3. */
export const card03 = {
  protocolVersion: '0.3.0',
  name: 'Hotels',
  description: 'Finds hotels.',
  url: 'https://agents.example/hotels',
  version: '1',
  capabilities: {},
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [],
};

/** An answer as tests look at it. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag: string | null;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever is there.
  readonly body: any;
}

/** The registry of agents behind its HTTP routes, with the access that a scope file gives. */
export interface AgentsTrial {
  ask(group: string, method: string, path: string, body?: unknown, headers?: object): Promise<Answer>;
  readonly events: AuditEvent[];
  readonly database: OpenDatabase;
}

/** Opens the registry of agents on an empty database; who asks is in one group of the scope file. */
export async function openAgents(scopes: string, policy: OutboundPolicy): Promise<AgentsTrial> {
  const grants = compile(parseScopes(scopes, 'scopes.yml'));
  const database = await openMemory();
  const events: AuditEvent[] = [];
  let [time, ids] = [Date.UTC(2026, 0, 1), 0];
  const app = new Hono<HttpEnv>();
  const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
  app.onError((error, c) => answerFailure(c, error, quiet as never, 'Bearer'));
  app.use(async (c, next) => {
    c.set('correlationId', 'c');
    await next();
  });
  const now = (): number => (time += 1000);
  const newId = (): string => `id-${++ids}`;
  mount(app, agentEndpoints, agentHandlers({ db: database.db, policy, now, newId }), {
    identity: {
      identify: async (headers) => ({ is: 'identity', identity: memberOf(headers['x-group'] ?? '') }),
      access: (identity) => accessOf(identity, grants),
      csrfToken: () => 'csrf',
    },
    trail: { record: (event) => void events.push(event), flush: async () => {} },
    now: () => 0,
    allow: createAllow(() => 0),
    clientIp: () => null,
  });
  const ask: AgentsTrial['ask'] = async (group, method, path, body, headers = {}) => {
    const answer = await app.request(path, {
      method,
      headers: { 'x-group': group, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      ...{ status: answer.status, text, etag: answer.headers.get('etag') },
      type: answer.headers.get('content-type') ?? '',
      body: text ? JSON.parse(text) : undefined,
    };
  };
  return { ask, events, database };
}

function memberOf(group: string): Identity {
  return {
    ...{ kind: 'person', provider: 'entra', subject: group, username: group, name: null, email: null },
    ...{ clientId: null, groups: [group], method: 'bearer', credentialId: null, expiresAt: 0 },
  };
}
