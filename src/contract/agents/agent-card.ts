import { z } from 'zod';

/** The longest text of a card, in characters. */
export const maxCardLength = 256 * 1024;

/** How deep the values of a card may be nested. */
const maxDepth = 32;

/** A card as JSON: members that the protocol does not know are kept as they are. */
export type AgentCard = Readonly<Record<string, unknown>>;

const word = z.string().trim().min(1).max(200);
const url = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .max(2048)
  .refine((text) => !namesUser(text), { error: 'must not contain a user name or password' });

const skill = z.looseObject({
  id: word,
  name: word,
  description: z.string(),
  tags: z.array(z.string()),
});

/** The members that both versions of a card must or may have. */
const inBoth = {
  name: word,
  description: z.string(),
  version: z.string().min(1).max(255),
  provider: z.looseObject({ organization: z.string(), url }).optional(),
  documentationUrl: url.optional(),
  iconUrl: url.optional(),
  capabilities: z.looseObject({ streaming: z.boolean().optional() }),
  securitySchemes: z.record(z.string(), z.looseObject({})).optional(),
  defaultInputModes: z.array(z.string()),
  defaultOutputModes: z.array(z.string()),
  skills: z.array(skill).max(500),
  signatures: z
    .array(z.looseObject({ protected: z.string(), signature: z.string() }))
    .max(20)
    .optional(),
};

/** A card of A2A 1.0 (specification section 4.4.1, AgentCard). */
const cardOfV1 = z.looseObject({
  ...inBoth,
  supportedInterfaces: z
    .array(z.looseObject({ url, protocolBinding: word, protocolVersion: word }))
    .min(1)
    .max(20),
});

/**
 * A card of A2A 0.2 or 0.3 (specification section 5.5, AgentCard), or one of 1.0 that names its address in `url`; the
 * transport of `url` is JSONRPC unless given. 0.2 has no `protocolVersion`.
 */
const cardOfV03 = z.looseObject({
  ...inBoth,
  protocolVersion: z
    .string()
    .regex(/^(?:0\.[23]|1)(?:\.\d+){0,2}$/, { error: "must be a version of A2A such as '0.3.0' or '1.0'" })
    .default('0.2'),
  url,
  preferredTransport: word.optional(),
  additionalInterfaces: z
    .array(z.looseObject({ url, transport: word }))
    .max(20)
    .optional(),
});

/** A card of A2A 1.0, 0.3 or 0.2; no URL in it holds a credential. */
export const agentCard = z.record(z.string(), z.unknown()).superRefine((card, context) => {
  const place = faultyPlace(card);
  if (place) return void context.addIssue({ code: 'custom', ...place });
  const result = (isV1(card) ? cardOfV1 : cardOfV03).safeParse(withoutNulls(card));
  for (const { path, message } of result.error?.issues ?? [])
    context.addIssue({ code: 'custom', path: [...path], message });
});

/** One way to reach an agent. */
export interface AgentInterface {
  /** Where in the card its URL stands: `supportedInterfaces.0.url`. */
  readonly at: string;
  readonly url: string;
  /** `JSONRPC`, `GRPC`, `HTTP+JSON` or another one. */
  readonly binding: string;
  /** The version of A2A: `1.0`, `0.3.0`. */
  readonly version: string;
}

/** The ways to reach the agent of a valid card, the preferred one first. */
export function interfacesOf(card: AgentCard): AgentInterface[] {
  if (isV1(card))
    return cardOfV1.parse(withoutNulls(card)).supportedInterfaces.map((one, index) => ({
      at: `supportedInterfaces.${index}.url`,
      url: one.url,
      binding: one.protocolBinding,
      version: one.protocolVersion,
    }));
  const {
    protocolVersion: version,
    preferredTransport = 'JSONRPC',
    ...card03
  } = cardOfV03.parse(withoutNulls(card));
  return [
    { at: 'url', url: card03.url, binding: preferredTransport, version },
    ...(card03.additionalInterfaces ?? []).map((one, index) => ({
      at: `additionalInterfaces.${index}.url`,
      url: one.url,
      binding: one.transport,
      version,
    })),
  ];
}

/** What lists show of a valid card. */
export function summaryOf(card: AgentCard) {
  const { name, description, version, provider, capabilities, skills, signatures } = z
    .looseObject(inBoth)
    .parse(withoutNulls(card));
  return {
    ...{ name, description, version },
    provider: provider?.organization ?? null,
    streaming: capabilities.streaming ?? false,
    skills: skills.map((one) => one.name),
    signed: (signatures ?? []).length > 0,
  };
}

function isV1(card: AgentCard): boolean {
  return Array.isArray(card.supportedInterfaces);
}

/** Writers of cards give optional members as `null`; only what is validated and summarised goes without them. */
function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutNulls) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, withoutNulls(member)]),
  ) as T;
}

/** The first place in a card that is nested too deeply or holds a URL with a credential; looks without recursion. */
function faultyPlace(card: unknown): { path: string[]; message: string } | undefined {
  const waiting: { value: unknown; path: string[] }[] = [{ value: card, path: [] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { value, path } = next;
    if (path.length > maxDepth)
      return { path: path.slice(0, 3), message: `must not be nested deeper than ${maxDepth} levels` };
    if (typeof value === 'string' && /^[a-z][a-z0-9+.-]*:/i.test(value) && namesUser(value))
      return { path, message: 'must not contain a user name or password' };
    if (typeof value === 'object' && value !== null)
      for (const [name, member] of Object.entries(value))
        waiting.push({ value: member, path: [...path, name] });
  }
  return undefined;
}

function namesUser(text: string): boolean {
  const { username = '', password = '' } = URL.parse(text) ?? {};
  return username !== '' || password !== '';
}
