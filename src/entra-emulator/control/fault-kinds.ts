type Setting = 'number' | 'string' | 'text?' | 'number?';

/** The faults that can be asked for: what each does, and its settings. */
export const faultKinds = {
  aadsts: {
    does: 'answers the token or authorize endpoint with an AADSTS error',
    settings: { code: 'number', claims: 'text?' },
  },
  throttle: { does: 'answers 429 with Retry-After', settings: { retryAfterSeconds: 'number?' } },
  status: {
    does: 'answers with a server error',
    settings: { status: 'number', retryAfterSeconds: 'number?' },
  },
  latency: {
    does: 'waits before it answers, at most until the fault is removed',
    settings: { milliseconds: 'number' },
  },
  replicationDelay: {
    does: 'hides objects from reads, references and sign-in for a while after they were made',
    settings: { milliseconds: 'number' },
  },
  binDelay: {
    does: 'hides deleted objects from the bin for a while after their deletion',
    settings: { milliseconds: 'number' },
  },
  secretDelay: {
    does: 'refuses new client secrets for a while (7000215)',
    settings: { milliseconds: 'number' },
  },
  keyRoll: {
    does: 'rolls the signing keys at once: normal, emergency or unpublished',
    settings: { how: 'string' },
  },
  ownKeys: {
    does: 'signs tokens of the application (appId) with a key that only discovery with ?appid= names',
    settings: {},
  },
  jwksOutage: { does: 'fails the key set', settings: { status: 'number?' } },
  wrongIssuer: { does: 'issues tokens of another issuer', settings: { issuer: 'text?' } },
  clockSkew: { does: 'issues tokens with shifted times', settings: { seconds: 'number' } },
  nonceMismatch: { does: 'issues ID tokens with another nonce', settings: {} },
  overageThreshold: { does: 'leaves groups out above this number', settings: { groups: 'number' } },
  dropGroups: { does: 'leaves groups out of app-only tokens', settings: {} },
  claimsChallenge: { does: 'makes Graph answer 401 insufficient_claims', settings: {} },
  appManagementPolicy: {
    does: "restricts client secrets: passwords 'forbidden', or maxLifetimeDays",
    settings: { passwords: 'text?', maxLifetimeDays: 'number?' },
  },
  hideServicePrincipals: { does: 'leaves service principals out of group members', settings: {} },
  foreignNextLink: { does: 'points nextLink at another host', settings: { origin: 'text?' } },
} as const satisfies Record<string, { does: string; settings: Record<string, Setting> }>;

/** What is wrong with a fault that somebody asks for; undefined when nothing is. */
export function faultProblem(fault: Record<string, unknown>): string | undefined {
  const { kind } = fault;
  if (typeof kind !== 'string' || !Object.hasOwn(faultKinds, kind))
    return `'kind' must be one of: ${Object.keys(faultKinds).join(', ')}`;
  const settings: Record<string, Setting> = faultKinds[kind as keyof typeof faultKinds].settings;
  const all: Record<string, Setting> = {
    ...settings,
    appId: 'text?',
    path: 'text?',
    times: 'number?',
    every: 'number?',
  };
  for (const name of Object.keys(fault))
    if (name !== 'kind' && !Object.hasOwn(all, name)) return `'${name}' is not a setting of ${kind}`;
  for (const [name, setting] of Object.entries(all)) {
    const value = fault[name];
    if (value === undefined && setting.endsWith('?')) continue;
    const type = setting.startsWith('number') ? 'number' : 'string';
    if (typeof value !== type || (typeof value === 'number' && !Number.isFinite(value)))
      return `'${name}' of ${kind} must be a ${type}`;
  }
  return undefined;
}
