// Measures what is promised about speed and size: node --expose-gc src/entra-emulator/measure.ts
import { type Seed, shippedTenant, startEmulator } from './main.ts';

const users = 10_000;
const groups = 1_000;
const tenantId = '7e4a0000-e000-4000-8000-00000000feed';
const admin = {
  clientId: '9a7e3a70-0000-4000-8000-00000000feed',
  clientSecret: 'emulator-demo-secret-of-measure',
};

/** 10,000 users, each in five of 1,000 groups. */
function largeSeed(): Seed {
  const name = (index: number) => `user${index}@large.example`;
  const members = Array.from({ length: groups }, (): string[] => []);
  for (let user = 0; user < users; user += 1)
    for (let turn = 0; turn < 5; turn += 1) members[(user * 7 + turn * 211) % groups]?.push(name(user));
  return {
    tenants: [
      {
        id: tenantId,
        displayName: 'Large',
        domains: ['large.example'],
        users: Array.from({ length: users }, (_, index) => ({ userPrincipalName: name(index) })),
        groups: members.map((list, index) => ({ displayName: `group${index}`, members: list })),
        applications: [
          {
            appId: admin.clientId,
            displayName: 'measure',
            passwordCredentials: [{ secretText: admin.clientSecret }],
            grantedRoles: [{ resource: 'Microsoft Graph', value: 'Directory.Read.All' }],
          },
        ],
      },
    ],
  };
}

async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await run();
  console.log(`${what}: ${Math.round(performance.now() - start)} ms`);
  return result;
}

async function token(origin: string, tenant: string, scope: string, client: typeof admin): Promise<string> {
  const response = await fetch(`${origin}/${tenant}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      scope,
    }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

async function pageThrough(first: string, bearer: string): Promise<number> {
  let count = 0;
  for (let next: string | undefined = first; next; ) {
    const response: Response = await fetch(next, { headers: { authorization: `Bearer ${bearer}` } });
    const body = (await response.json()) as { value: unknown[]; '@odata.nextLink'?: string };
    count += body.value.length;
    next = body['@odata.nextLink'];
  }
  return count;
}

const memory = () => {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return `rss ${Math.round(rss / 2 ** 20)} MiB, heap ${Math.round(heapUsed / 2 ** 20)} MiB`;
};

console.log(`at the beginning: ${memory()}`);
const emulator = await timed('start with the shipped tenant', () => startEmulator());
const scope = `${shippedTenant.appIdUri}/.default`;
await timed('first token (makes the keys)', () =>
  token(emulator.origin, emulator.tenantId, scope, shippedTenant.agents.admin),
);
await timed('1,000 tokens, one after the other', async () => {
  for (let index = 0; index < 1000; index += 1)
    await token(emulator.origin, emulator.tenantId, scope, shippedTenant.agents.admin);
});
await emulator.close();
const large = await timed('start with 10,000 users and 50,000 memberships', () =>
  startEmulator({ seed: largeSeed() }),
);
console.log(`then: ${memory()}`);
const bearer = await token(large.origin, tenantId, 'https://graph.microsoft.com/.default', admin);
const base = `${large.graphOrigin}/v1.0`;
const found = await timed('paging through the users, 999 at a time', () =>
  pageThrough(`${base}/users?$top=999`, bearer),
);
const small = await timed('paging through the users, 100 at a time', () =>
  pageThrough(`${base}/users`, bearer),
);
console.log(`users found: ${found} and ${small}`);
console.log(`at the end: ${memory()}`);
await large.close();
