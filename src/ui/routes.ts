import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { isSignedOut, type Me, meQuery } from './api.ts';
import { auditKeys } from './audit/audit-search.ts';
import { Pending } from './controls/pending.tsx';
import { PageProblem } from './controls/problem.tsx';
import { Home } from './home/home-page.tsx';
import { OutsideProblem } from './shell/outside.tsx';
import { NotFound, Root, Shell } from './shell/shell.tsx';

const root = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Root,
  notFoundComponent: NotFound,
});

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search) => pick(search, ['error', 'correlation_id', 'next']),
  component: lazyRouteComponent(() => import('./sign-in/login.tsx'), 'Login'),
  errorComponent: OutsideProblem,
});

const signedOut = createRoute({
  getParentRoute: () => root,
  path: '/signed-out',
  component: lazyRouteComponent(() => import('./sign-in/signed-out.tsx'), 'SignedOut'),
  errorComponent: OutsideProblem,
});

const renewed = createRoute({
  getParentRoute: () => root,
  path: '/renewed',
  component: lazyRouteComponent(() => import('./sign-in/renewed.tsx'), 'Renewed'),
  errorComponent: OutsideProblem,
});

const apiReference = createRoute({
  getParentRoute: () => root,
  path: '/docs/api',
  validateSearch: (search) => pick(search, ['q', 'open']),
  component: lazyRouteComponent(() => import('./reference/api-reference.tsx'), 'ApiReference'),
  errorComponent: OutsideProblem,
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ context, location }) => {
    const me = await whoIsHere(context.queries, location.href);
    const mayEnter = hasAccess(me);
    // Who has nothing yet can ask for it.
    if (!mayEnter && !['/no-access', '/requests'].includes(location.pathname))
      throw redirect({ to: '/no-access' });
    if (mayEnter && location.pathname === '/no-access') throw redirect({ to: '/' });
  },
  component: Shell,
  errorComponent: OutsideProblem,
});

const noAccess = createRoute({
  getParentRoute: () => signedIn,
  path: '/no-access',
  component: lazyRouteComponent(() => import('./sign-in/no-access.tsx'), 'NoAccess'),
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: '/',
  // In the first script: in one of its own, it would take a request more, and compress worse.
  component: Home,
});

// A parent of its own: beside each other, the page of one server would be taken for that of all.
const catalog = createRoute({ getParentRoute: () => signedIn, path: '/servers' });

const servers = createRoute({
  getParentRoute: () => catalog,
  path: '/',
  validateSearch: (search) =>
    pick(search, ['q', 'state', 'health', 'category', 'tag', 'owner', 'view', 'sort', 'mine']),
  component: lazyRouteComponent(() => import('./servers/servers-page.tsx'), 'Servers'),
});

const server = createRoute({
  getParentRoute: () => catalog,
  path: '/$',
  validateSearch: (search) => pick(search, ['tab', 'tool']),
  component: lazyRouteComponent(() => import('./server/server-page.tsx'), 'ServerPage'),
});

const register = createRoute({
  getParentRoute: () => signedIn,
  path: '/register',
  component: lazyRouteComponent(() => import('./register/register-page.tsx'), 'Register'),
});

const edit = createRoute({
  getParentRoute: () => signedIn,
  path: '/edit/$',
  component: lazyRouteComponent(() => import('./register/register-page.tsx'), 'Edit'),
});

// A parent of its own, as for servers.
const agentCatalog = createRoute({ getParentRoute: () => signedIn, path: '/agents' });

const agents = createRoute({
  getParentRoute: () => agentCatalog,
  path: '/',
  validateSearch: (search) => pick(search, ['q']),
  component: lazyRouteComponent(() => import('./agents/agents-page.tsx'), 'Agents'),
});

const agent = createRoute({
  getParentRoute: () => agentCatalog,
  path: '/$',
  validateSearch: (search) => pick(search, ['tab']),
  component: lazyRouteComponent(() => import('./agents/agent-page.tsx'), 'AgentPage'),
});

const registerAgent = createRoute({
  getParentRoute: () => signedIn,
  path: '/register-agent',
  component: lazyRouteComponent(() => import('./agents/agent-form-page.tsx'), 'RegisterAgent'),
});

const editAgent = createRoute({
  getParentRoute: () => signedIn,
  path: '/edit-agent/$',
  component: lazyRouteComponent(() => import('./agents/agent-form-page.tsx'), 'EditAgent'),
});

const tokens = createRoute({
  getParentRoute: () => signedIn,
  path: '/tokens',
  validateSearch: (search) => pick(search, ['tab', 'q', 'state']),
  component: lazyRouteComponent(() => import('./mine/tokens-page.tsx'), 'Tokens'),
});

const connectedClients = createRoute({
  getParentRoute: () => signedIn,
  path: '/clients',
  component: lazyRouteComponent(() => import('./clients/connected-clients-page.tsx'), 'ConnectedClients'),
});

const connections = createRoute({
  getParentRoute: () => signedIn,
  path: '/connections',
  validateSearch: (search) => pick(search, ['server', 'connected', 'problem']),
  component: lazyRouteComponent(() => import('./mine/connections-page.tsx'), 'Connections'),
});

const oauthClients = createRoute({
  getParentRoute: () => signedIn,
  path: '/oauth-clients',
  component: lazyRouteComponent(() => import('./clients/oauth-clients-page.tsx'), 'OauthClients'),
});

const usage = createRoute({
  getParentRoute: () => signedIn,
  path: '/usage',
  validateSearch: (search) => pick(search, ['period', 'by', 'server', 'person']),
  component: lazyRouteComponent(() => import('./usage/usage-page.tsx'), 'UsagePage'),
});

const tools = createRoute({
  getParentRoute: () => signedIn,
  path: '/tools',
  validateSearch: (search) => pick(search, ['q']),
  component: lazyRouteComponent(() => import('./search/tools-page.tsx'), 'Tools'),
});

const virtualServers = createRoute({
  getParentRoute: () => signedIn,
  path: '/virtual-servers',
  component: lazyRouteComponent(() => import('./virtual-servers/virtual-servers-page.tsx'), 'VirtualServers'),
});

const newVirtualServer = createRoute({
  getParentRoute: () => signedIn,
  path: '/virtual-servers/new',
  component: lazyRouteComponent(() => import('./virtual-servers/virtual-edit-page.tsx'), 'NewVirtual'),
});

const editVirtualServer = createRoute({
  getParentRoute: () => signedIn,
  path: '/virtual-servers/edit/$',
  component: lazyRouteComponent(() => import('./virtual-servers/virtual-edit-page.tsx'), 'EditVirtual'),
});

const requests = createRoute({
  getParentRoute: () => signedIn,
  path: '/requests',
  validateSearch: (search) => pick(search, ['tab', 'ask']),
  component: lazyRouteComponent(() => import('./requests/requests-page.tsx'), 'Requests'),
});

const sessions = createRoute({
  getParentRoute: () => signedIn,
  path: '/sessions',
  component: lazyRouteComponent(() => import('./mine/sessions-page.tsx'), 'Sessions'),
});

const me = createRoute({
  getParentRoute: () => signedIn,
  path: '/me',
  component: lazyRouteComponent(() => import('./mine/me-page.tsx'), 'Account'),
});

const operations = createRoute({
  getParentRoute: () => signedIn,
  path: '/operations',
  validateSearch: (search) => pick(search, ['tab']),
  component: lazyRouteComponent(() => import('./system/operations-page.tsx'), 'Operations'),
});

const accounts = createRoute({
  getParentRoute: () => signedIn,
  path: '/accounts',
  validateSearch: (search) => pick(search, ['q']),
  component: lazyRouteComponent(() => import('./people/accounts-page.tsx'), 'Accounts'),
});

const access = createRoute({
  getParentRoute: () => signedIn,
  path: '/access',
  validateSearch: (search) => pick(search, ['tab', 'who', 'server', 'method', 'item']),
  component: lazyRouteComponent(() => import('./access/access-page.tsx'), 'Access'),
});

const scope = createRoute({
  getParentRoute: () => signedIn,
  // A scope's name may have slashes in it.
  path: '/access/scopes/$',
  component: lazyRouteComponent(() => import('./access/scope-page.tsx'), 'ScopePage'),
});

const newScope = createRoute({
  getParentRoute: () => signedIn,
  path: '/access/new',
  component: lazyRouteComponent(() => import('./scope-editor/scope-edit-page.tsx'), 'NewScope'),
});

const editScope = createRoute({
  getParentRoute: () => signedIn,
  path: '/access/edit/$',
  component: lazyRouteComponent(() => import('./scope-editor/scope-edit-page.tsx'), 'EditScope'),
});

const audit = createRoute({
  getParentRoute: () => signedIn,
  path: '/audit',
  validateSearch: (search) => pick(search, auditKeys),
  component: lazyRouteComponent(() => import('./audit/audit-page.tsx'), 'Audit'),
});

const pages = root.addChildren([
  login,
  renewed,
  signedOut,
  apiReference,
  signedIn.addChildren([
    home,
    catalog.addChildren([servers, server]),
    register,
    edit,
    agentCatalog.addChildren([agents, agent]),
    registerAgent,
    editAgent,
    tokens,
    connectedClients,
    connections,
    oauthClients,
    usage,
    tools,
    virtualServers,
    newVirtualServer,
    editVirtualServer,
    requests,
    sessions,
    me,
    accounts,
    access,
    scope,
    newScope,
    editScope,
    audit,
    operations,
    noAccess,
  ]),
]);

/** The pages of the UI by their URL; each is loaded when it is first opened or about to be. */
export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: pages,
    context: { queries },
    defaultPreload: 'intent',
    defaultPendingComponent: Pending,
    defaultErrorComponent: PageProblem,
    scrollRestoration: true,
    // Search parameters are plain text: the default would read `?details=1` as a number.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const set = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
      const text = new URLSearchParams(set.map(([key, value]) => [key, String(value)])).toString();
      return text && `?${text}`;
    },
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

/** Whether this identity may use anything here at all. */
function hasAccess(me: Me): boolean {
  return me.is_admin || me.scopes.length > 0;
}

async function whoIsHere(queries: QueryClient, href: string): Promise<Me> {
  try {
    return await queries.ensureQueryData({ ...meQuery, retry: 0 });
  } catch (error) {
    if (isSignedOut(error)) throw redirect({ to: '/login', search: href === '/' ? {} : { next: href } });
    throw error;
  }
}

function pick<K extends string>(search: Record<string, unknown>, keys: readonly K[]): { [P in K]?: string } {
  const picked: { [P in K]?: string } = {};
  for (const key of keys) {
    const value = search[key];
    if (typeof value === 'string' && value !== '') picked[key] = value;
  }
  return picked;
}
