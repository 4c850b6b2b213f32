/** How the verb of a noun is made from one of the flat commands, whose name stays an alias. */
export interface Verb {
  /** The flat command: same action, same options. */
  readonly of: string;
  /** The option that may be given as the argument after the verb, without its dashes. */
  readonly key?: string;
  /** The option that may be given as the second argument. */
  readonly second?: string;
  /** Options that the verb itself decides, by their attribute name. */
  readonly set?: Readonly<Record<string, string>>;
  /** Other words for the verb. */
  readonly also?: readonly string[];
  /** What it lists: the field of the old JSON with the rows, or how the rows are found. */
  readonly rows?: string | ((value: Record<string, unknown>) => unknown[]);
  /** The field of a row, or of the result, that names it. */
  readonly id?: string;
  /** It changes something in the registry, so that `--dry-run` makes sense. */
  readonly changes?: true;
  readonly summary?: string;
}

/** The groups of the help, in its order: what each is for. */
export const helpGroups = {
  Servers: 'register, check, find and connect to servers and agents',
  Access: 'decide who can see and call what; manage groups and accounts',
  'Sign-in': 'sign in, create tokens, approve the MCP clients that people use',
  Records: 'see who did what',
  Gateway: 'run, set up, check, back up and migrate the gateway',
} as const;

/** A noun of the command line: `mcp-gateway server ...`. */
export interface Noun {
  readonly summary: string;
  readonly group: keyof typeof helpGroups;
  readonly also?: string;
  readonly verbs: Readonly<Record<string, Verb>>;
}

/** What is known of a command beside its options. */
export interface Meaning {
  readonly verb: Verb;
  /** Whether it was called by noun and verb, so that a list has the one JSON shape. */
  readonly byNoun: boolean;
  /** `--dry-run` ends it at its first change, which is shown. */
  readonly showsChanges: boolean;
}

const path = { key: 'path', id: 'path' } as const;
const remove = { also: ['delete', 'rm'], changes: true } as const;
const onOff = (of: string, what: string): Record<'enable' | 'disable' | 'toggle', Verb> => ({
  enable: { ...path, of, set: { enabled: 'true' }, changes: true, summary: `Enable ${what}` },
  disable: { ...path, of, set: { enabled: 'false' }, changes: true, summary: `Disable ${what}` },
  toggle: { ...path, of, changes: true },
});

/** The command line by nouns. The order is that of the help. */
export const nouns: Readonly<Record<string, Noun>> = {
  server: {
    summary: 'register, find, check and connect to MCP servers',
    group: 'Servers',
    also: 'servers',
    verbs: {
      list: { of: 'list', rows: 'servers', id: 'path', also: ['ls'] },
      get: { ...path, of: 'server-get', also: ['show'] },
      tools: { of: 'tools', key: 'path', rows: 'tools', id: 'name' },
      search: { of: 'server-search', key: 'query', rows: 'servers', id: 'path', also: ['find'] },
      connect: { of: 'connect', key: 'path' },
      'connect-config': { of: 'server-connect-config', key: 'path' },
      health: { ...path, of: 'healthcheck', also: ['check', 'healthcheck'] },
      register: { of: 'register', key: 'config', id: 'path', also: ['add', 'create'], changes: true },
      update: { ...path, of: 'update-server', also: ['edit'], changes: true },
      patch: { ...path, of: 'patch-server', changes: true },
      credential: { ...path, of: 'server-update-credential', also: ['update-credential'], changes: true },
      ...onOff('toggle', 'a server'),
      remove: { ...path, ...remove, of: 'remove' },
    },
  },
  agent: {
    summary: 'register and find A2A agents',
    group: 'Servers',
    also: 'agents',
    verbs: {
      list: { of: 'agent-list', rows: 'agents', id: 'path', also: ['ls'] },
      get: { ...path, of: 'agent-get', also: ['show'] },
      search: { of: 'agent-search', key: 'query', rows: 'agents', id: 'path', also: ['find'] },
      discover: { of: 'agent-discover', key: 'skills', rows: 'agents', id: 'path' },
      register: { of: 'agent-register', key: 'config', id: 'path', also: ['add', 'create'], changes: true },
      update: { ...path, of: 'agent-update', also: ['edit'], changes: true },
      patch: { ...path, of: 'agent-patch', changes: true },
      ...onOff('agent-toggle', 'an agent'),
      remove: { ...path, ...remove, of: 'agent-delete' },
    },
  },
  virtual: {
    summary: 'combine tools of several servers into virtual servers',
    group: 'Servers',
    also: 'vs',
    verbs: {
      list: { of: 'vs-list', rows: 'virtual_servers', id: 'path', also: ['ls'] },
      get: { ...path, of: 'vs-get', also: ['show'] },
      tools: { of: 'vs-tools', key: 'path', rows: 'tools', id: 'name' },
      create: { of: 'vs-create', key: 'config', id: 'path', also: ['add', 'register'], changes: true },
      update: { ...path, of: 'vs-update', second: 'config', also: ['edit'], changes: true },
      rate: { ...path, of: 'vs-rate', second: 'stars', changes: true },
      ...onOff('vs-toggle', 'a virtual server'),
      export: { of: 'vs-export' },
      import: { of: 'vs-import', key: 'config', changes: true },
      remove: { ...path, ...remove, of: 'vs-delete' },
    },
  },
  connection: {
    summary: 'connect to servers, and decide whose credential the gateway sends to them',
    group: 'Servers',
    also: 'connections',
    verbs: {
      list: { of: 'connection-list', rows: 'connections', id: 'server_path', also: ['ls'] },
      connect: { key: 'path', id: 'server_path', of: 'connection-connect' },
      'set-token': { key: 'path', id: 'server_path', of: 'connection-set-token', changes: true },
      disconnect: { ...path, ...remove, of: 'connection-disconnect' },
      get: { ...path, of: 'egress-show', also: ['show'] },
      configure: { ...path, of: 'egress-configure', also: ['set'], changes: true },
    },
  },
  scope: {
    summary: 'decide what groups can see and call',
    group: 'Access',
    also: 'scopes',
    verbs: {
      list: {
        ...{ of: 'list-groups', rows: scopesOf, id: 'scope_name', also: ['ls'] },
        ...{ set: { keycloak: 'false' }, summary: 'List scopes and the groups that they are assigned to' },
      },
      get: { of: 'describe-group', key: 'name', id: 'scope_name', also: ['show', 'describe'] },
      explain: { of: 'access-explain', key: 'username', also: ['can', 'check'] },
      create: { of: 'create-group', key: 'name', id: 'group_name', also: ['add'], changes: true },
      import: { of: 'import-group', key: 'file', id: 'group_name', also: ['apply'], changes: true },
      'add-server': { of: 'add-to-groups', key: 'server', changes: true },
      'remove-server': { of: 'remove-from-groups', key: 'server', changes: true },
      remove: { ...remove, of: 'delete-group', key: 'name', id: 'group_name' },
    },
  },
  group: {
    summary: 'manage groups in the identity provider together with their scopes',
    group: 'Access',
    also: 'groups',
    verbs: {
      list: { of: 'group-list', rows: 'groups', id: 'name', also: ['ls'] },
      create: { of: 'group-create', key: 'name', id: 'name', also: ['add'], changes: true },
      remove: { ...remove, of: 'group-delete', key: 'name', id: 'group_name' },
    },
  },
  user: {
    summary: 'manage accounts of people in the identity provider',
    group: 'Access',
    also: 'users',
    verbs: {
      list: { of: 'user-list', rows: 'users', id: 'username', also: ['ls'] },
      create: { of: 'user-create-human', key: 'username', id: 'username', also: ['add'], changes: true },
      'set-groups': { of: 'user-set-groups', key: 'username', id: 'username', changes: true },
      remove: { ...remove, of: 'user-delete', key: 'username', id: 'username' },
    },
  },
  app: {
    summary: 'manage applications and AI agents that call with their own account',
    group: 'Access',
    also: 'apps',
    verbs: {
      list: { of: 'm2m-client-list', rows: 'items', id: 'client_id', also: ['ls'] },
      get: { of: 'm2m-client-get', key: 'client-id', id: 'client_id', also: ['show'] },
      create: { of: 'user-create-m2m', key: 'name', id: 'client_id', changes: true },
      register: { of: 'm2m-client-create', key: 'client-id', id: 'client_id', also: ['add'], changes: true },
      update: { of: 'm2m-client-update', key: 'client-id', id: 'client_id', also: ['edit'], changes: true },
      'rotate-secret': { of: 'm2m-rotate-secret', key: 'client-id', id: 'client_id', changes: true },
      jobs: { of: 'job-list', rows: 'jobs', id: 'id' },
      'job-secret': { of: 'job-secret', key: 'id', id: 'client_id' },
      remove: { ...remove, of: 'm2m-client-delete', key: 'client-id', id: 'client_id' },
    },
  },
  request: {
    summary: 'ask for access to servers, and decide such requests',
    group: 'Access',
    also: 'requests',
    verbs: {
      list: { of: 'access-request-list', rows: 'requests', id: 'id', also: ['ls'] },
      create: { of: 'access-request-create', key: 'path', id: 'id', also: ['add'], changes: true },
      grant: { of: 'access-request-grant', key: 'id', id: 'id', also: ['approve'], changes: true },
      decline: { of: 'access-request-decline', key: 'id', id: 'id', also: ['deny'], changes: true },
      withdraw: { of: 'access-request-withdraw', key: 'id', id: 'id', changes: true },
      end: { of: 'access-request-end', key: 'id', id: 'id', also: ['revoke'], changes: true },
    },
  },
  token: {
    summary: 'create, list and revoke tokens',
    group: 'Sign-in',
    verbs: {
      list: { of: 'tokens', rows: 'tokens', id: 'id', also: ['ls'] },
      create: { of: 'token', key: 'account', also: ['mint', 'add'] },
      generate: { of: 'generate-tokens' },
      refresh: { of: 'generate-creds', also: ['renew'] },
      revoke: { of: 'token-revoke', key: 'id', id: 'id', also: ['remove', 'delete', 'rm'], changes: true },
    },
  },
  auth: {
    summary: 'sign in and out, and see what you can do',
    group: 'Sign-in',
    verbs: {
      login: { of: 'login', also: ['signin', 'sign-in'] },
      logout: { of: 'logout', also: ['signout', 'sign-out'] },
      whoami: { of: 'whoami', also: ['status', 'me'] },
    },
  },
  audit: {
    summary: 'read and export the audit trail',
    group: 'Records',
    verbs: {
      list: { of: 'audit-list', rows: 'events', id: 'id', also: ['ls'] },
      get: { of: 'audit-show', key: 'id', id: 'id', also: ['show'] },
      export: { of: 'audit-export' },
      usage: { of: 'audit-usage', rows: 'rows', id: 'key' },
    },
  },
  client: {
    summary: 'approve MCP clients that people sign in from',
    group: 'Sign-in',
    also: 'clients',
    verbs: {
      list: { of: 'oauth-client-list', rows: 'items', id: 'client_id', also: ['ls'] },
      create: {
        of: 'oauth-client-create',
        key: 'client-name',
        id: 'client_id',
        also: ['add'],
        changes: true,
      },
      approve: { of: 'oauth-client-approve', key: 'client-id', id: 'client_id', changes: true },
      block: { of: 'oauth-client-block', key: 'client-id', id: 'client_id', changes: true },
      remove: { ...remove, of: 'oauth-client-delete', key: 'client-id', id: 'removed' },
      connected: { of: 'connected-client-list', rows: 'connected_clients', id: 'id' },
      disconnect: { of: 'connected-client-end', key: 'id', id: 'id', changes: true },
    },
  },
  gateway: {
    summary: 'run, set up, check, back up and migrate the gateway',
    group: 'Gateway',
    verbs: {
      start: { of: 'start' },
      config: { of: 'config', also: ['info', 'version'] },
      setup: { of: 'setup' },
      doctor: { of: 'doctor', also: ['check'] },
      export: { of: 'export' },
      import: { of: 'import', key: 'file' },
      backup: { of: 'backup' },
      restore: { of: 'restore' },
      migrate: { of: 'migrate' },
      move: { of: 'move' },
      'rotate-secrets': { of: 'rotate-secrets' },
      'entra-emulator': { of: 'entra-emulator' },
    },
  },
};

/** Flat commands that the grouped help shows too, as they belong to no noun or are typed first. */
export const shownAlone: Readonly<Record<string, keyof typeof helpGroups>> = {
  search: 'Servers',
  start: 'Gateway',
  completion: 'Gateway',
};

/** Options of flat commands that take their key as an argument too, where no verb has them. */
export const keysOfOthers: Readonly<Record<string, string>> = { search: 'query' };

/** The first verb that a flat command became, as `server list`. */
export function nounFormOf(old: string): string | undefined {
  for (const [noun, { verbs }] of Object.entries(nouns)) {
    const found = Object.entries(verbs).filter(([, verb]) => verb.of === old);
    const [verb] = found.find(([, { set }]) => set === undefined) ?? found[0] ?? [];
    if (verb) return `${noun} ${verb}`;
  }
  return undefined;
}

function scopesOf({ scopes_groups }: Record<string, unknown>): unknown[] {
  const scopes = (scopes_groups ?? {}) as Record<string, object>;
  return Object.entries(scopes).map(([scope_name, scope]) => ({ scope_name, ...scope }));
}
