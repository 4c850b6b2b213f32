import type { Generated, Kysely } from 'kysely';

/**
 * The tables, one interface each. Only text and integers are used, so that SQLite and PostgreSQL decode alike: times are
 * ISO 8601 text in UTC, JSON is text that its store parses once, booleans are 0 and 1.
 */
export interface Tables {
  servers: ServersTable;
  health_changes: HealthChangesTable;
  agents: AgentsTable;
  people: PeopleTable;
  sessions: SessionsTable;
  used_sign_ins: UsedSignInsTable;
  provider_realms: ProviderRealmsTable;
  cutoffs: CutoffsTable;
  m2m_clients: M2mClientsTable;
  tokens: TokensTable;
  scopes: ScopesTable;
  audit_events: AuditEventsTable;
  jobs: JobsTable;
  retired_secrets: RetiredSecretsTable;
  made_here: MadeHereTable;
  changes: ChangesTable;
  leases: LeasesTable;
  allowances: AllowancesTable;
  virtual_servers: VirtualServersTable;
  virtual_ratings: VirtualRatingsTable;
  virtual_sessions: VirtualSessionsTable;
  virtual_replies: VirtualRepliesTable;
  search_vectors: SearchVectorsTable;
  favourites: FavouritesTable;
  oauth_keys: OauthKeysTable;
  oauth_clients: OauthClientsTable;
  oauth_grants: OauthGrantsTable;
  oauth_artifacts: OauthArtifactsTable;
  oauth_rates: OauthRatesTable;
  connections: ConnectionsTable;
  connection_attempts: ConnectionAttemptsTable;
  egress_clients: EgressClientsTable;
  access_requests: AccessRequestsTable;
  processes: ProcessesTable;
  token_groups: TokenGroupsTable;
  seen_settings: SeenSettingsTable;
  data_keys: DataKeysTable;
}

/** The database as stores get it; a transaction is another one. */
export type Db = Kysely<Tables>;

/** How often something was done that all replicas together limit (`allowance.ts`). */
export interface AllowancesTable {
  name: string;
  /** Milliseconds since 1970 by the clock of the database. */
  free_at: number;
}

/** Registered MCP servers. */
export interface ServersTable {
  id: string;
  /** With its leading slash; unique. */
  path: string;
  /** JSON: what the operator said (`ServerInput`). */
  definition: string;
  is_enabled: number;
  /** JSON: what the last check found; null before the first. */
  health: string | null;
  /** JSON: the tools as last seen, with the time; null before the first. */
  tools: string | null;
  registered_by: string;
  registered_at: string;
  updated_at: string;
  /** Counts the changes; the ETag. */
  revision: number;
  /** JSON: what the gateway proves itself with, its values encrypted; null when there is nothing. */
  credential: string | null;
  /** JSON: whose credential goes to it instead (`EgressSettings`), secrets encrypted; null when it is the operator's or nobody's. */
  egress: string | null;
  /** keyOf(provider, subject) of the person who registered it; null for servers of before, and where that person is nobody known any more. */
  owner: string | null;
}

/** When a server's health became another. */
export interface HealthChangesTable {
  server_id: string;
  /** ISO 8601. */
  at: string;
  status: string;
  reason: string | null;
  detail: string | null;
}

/** Registered A2A agents. */
export interface AgentsTable {
  id: string;
  /** With its leading slash; unique. */
  path: string;
  /** The card as it was registered, to the byte. */
  card: string;
  /** JSON: what is kept beside the card, and what of the card lists show. */
  definition: string;
  is_enabled: number;
  registered_by: string;
  registered_at: string;
  updated_at: string;
  /** Counts the changes; the ETag. */
  revision: number;
}

/** People who have signed in, with the groups last read from the provider: personal tokens never go beyond these. */
export interface PeopleTable {
  provider: string;
  /** The provider's stable id; for Entra `oid`. */
  subject: string;
  username: string;
  name: string | null;
  email: string | null;
  /** JSON array. */
  groups: string;
  groups_read_at: string;
  /** The directory that the account is in; null for people of before version 0002. */
  tenant: string | null;
  /** The newest refresh token, encrypted; null when there is none. */
  refresh_sealed: string | null;
  /** When the provider refused to tell more about the person (disabled, removed, revoked), and what it said; null while it does. */
  refused_at: string | null;
  refused_because: string | null;
}

/** Browser sessions. */
export interface SessionsTable {
  /** SHA-256 of the id in the cookie, hex. */
  id_hash: string;
  provider: string;
  subject: string;
  /** What the provider wants to be told at sign-out (`login_hint`); null when it gave none. */
  logout_hint: string | null;
  created_at: string;
  last_seen_at: string;
  expires_at: string;
  /** The provider's own id of the browser session; null when it gave none. */
  sid: string | null;
  /** When it was ended before its time, and why in words for its owner; null while it lives. */
  ended_at: string | null;
  ended_because: string | null;
  /** What the next sign-in has to ask for (claims challenge); null mostly. */
  claims: string | null;
  /** The `User-Agent` it was opened with, and from which address; null for sessions of before. */
  user_agent: string | null;
  client_ip: string | null;
}

/** What a provider's name stands for: the issuer or tenant that keeps its subjects unique. */
export interface ProviderRealmsTable {
  provider: string;
  realm: string;
  since: string;
}

/** Sign-ins that a browser came back with: each `state` works once. */
export interface UsedSignInsTable {
  /** SHA-256 of the `state` parameter, hex. */
  state_hash: string;
  /** When the attempt is over in any case, and the row with it. */
  expires_at: string;
}

/** From when on the tokens that a provider issues to somebody count; times are ISO 8601, null: always. */
export interface CutoffsTable {
  provider: string;
  /** As in tokens: a person's or an application's. */
  subject: string;
  tokens_before: string | null;
  /** What tokens of before say of groups is not believed: the gateway has changed them since. */
  groups_before: string | null;
  /** When the account was deleted. */
  gone_at: string | null;
  /** In words for the owner. */
  because: string | null;
}

/** What we know of applications besides what their provider says: groups, for tokens that list none. */
export interface M2mClientsTable {
  provider: string;
  /** In lower case. */
  client_id: string;
  name: string;
  description: string;
  /** JSON array. */
  groups: string;
  is_enabled: number;
  /** `manual`, or the provider in whose directory the gateway made the account. */
  source: Generated<string>;
  created_by: string;
  created_at: string;
  updated_at: string;
}

/** Personal tokens; the token itself is not stored. */
export interface TokensTable {
  /** The token's `jti`. */
  id: string;
  provider: string;
  subject: string;
  username: string;
  description: string;
  /** JSON array: the scopes asked for, an upper limit. */
  scopes: string;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
  revoked_by: string | null;
}

/** Scopes: named sets of grants. */
export interface ScopesTable {
  name: string;
  /** `file` for scopes.yml. */
  source: string;
  /** Order within the source. */
  position: number;
  /** JSON: the scope's definition. */
  definition: string;
  updated_at: string;
  /** Null for scopes of the file. */
  created_at: string | null;
  /** The directory's id of the group that was made with the scope; null when none was. */
  idp_group_id: string | null;
}

/** What happened: one row an event, never credentials, bodies or tool arguments. */
export interface AuditEventsTable {
  id: string;
  at: string;
  /** `mcp`, `api`, `sign-in`, `token` or `change`. */
  kind: string;
  correlation_id: string;
  provider: string | null;
  subject: string | null;
  username: string | null;
  client_id: string | null;
  auth_method: string | null;
  client_ip: string | null;
  /** What was asked: the MCP method, or the endpoint's id. */
  action: string;
  /** On what: the server's name, a path or an id. */
  resource: string | null;
  tool: string | null;
  /** `allow`, `deny` or `error`. */
  decision: string;
  reason: string | null;
  status: number;
  duration_ms: number;
  /** JSON: before and after, counts; null when there is nothing more to say. */
  detail: string | null;
  /** The personal token or browser session behind the call, by its row key; null where there is none. */
  credential_id: string | null;
  /** How many refusals the row stands for; more than one only where nobody knows the callers. */
  count: Generated<number>;
  /** When the last of them was; null where there is only one. */
  last_at: string | null;
}

/** What people keep at hand: servers and agents by path. */
export interface FavouritesTable {
  provider: string;
  subject: string;
  /** `server` or `agent`. */
  kind: string;
  path: string;
  /** When it was added; ISO 8601. */
  at: string;
}

/** Work of several steps in a directory, which goes on after a restart. */
export interface JobsTable {
  id: string;
  kind: string;
  name: string;
  /** The name for comparison; unique among jobs under way. */
  name_key: string;
  /** `running`, `undoing`, `done`, `undone` or `stuck`. */
  state: string;
  /** JSON: what was asked for, the steps taken, and what they made. */
  progress: string;
  /** JSON: code and detail of what went wrong; null when all is well. */
  trouble: string | null;
  /** The secret that was made, encrypted, until it is handed out. */
  secret_sealed: string | null;
  /** `none`, `waiting`, `handed-out` or `expired`. */
  secret_state: string;
  created_by: string;
  created_at: string;
  updated_at: string;
}

/** Secrets of accounts that were rotated, until they are removed in the directory. */
export interface RetiredSecretsTable {
  account_id: string;
  key_id: string;
  /** When it is to be removed. */
  removed_at: string;
}

/** What the gateway created in a directory: by default it deletes nothing else there. */
export interface MadeHereTable {
  /** Empty where the version before did not write it down. */
  provider: string;
  /** `group`, `person` or `application`. */
  kind: string;
  /** The directory's id, the client id for an application; GUIDs in lower case. */
  id: string;
  made_by: string;
  made_at: string;
}

/** The change feed: what changed, written in the transaction that changed it (src/server/changes). */
export interface ChangesTable {
  /** Rises with each row; rows of different transactions may become visible in another order. */
  seq: Generated<number>;
  kind: string;
  key: string;
  /** ISO 8601. */
  at: string;
}

/** Virtual servers: several servers behind one endpoint. */
export interface VirtualServersTable {
  id: string;
  /** `/virtual/{slug}`, or `/virtual/me/{slug}` for a personal one; unique per owner. */
  path: string;
  /** JSON array of provider and subject for a personal one; empty for a shared one. */
  owner: string;
  /** JSON: what its maker said (`VirtualServerInput`). */
  definition: string;
  is_enabled: number;
  created_by: string;
  created_at: string;
  updated_at: string;
  /** Counts the changes; the ETag. */
  revision: number;
}

/** How a person or program rates a virtual server. */
export interface VirtualRatingsTable {
  /** The virtual server's `id`: one that is made anew at the same path has no ratings. */
  virtual_id: string;
  /** JSON array of provider and subject. */
  rater: string;
  username: string;
  /** 1 to 5. */
  rating: number;
  /** ISO 8601 in UTC. */
  rated_at: string;
}

/** The sessions at servers that belong to a client's session at a virtual server. */
export interface VirtualSessionsTable {
  /** SHA-256 of the client's session id, hex. */
  session: string;
  /** The server's name; empty: the client ended its session. */
  member: string;
  /** The session at the server, encrypted. */
  sealed: string;
  /** ISO 8601. */
  created_at: string;
}

/** What was said to a call that waits in another process: each row is read once. */
export interface VirtualRepliesTable {
  /** SHA-256 of what is waited for, hex. */
  key: string;
  /** The JSON-RPC message, encrypted. */
  sealed: string;
  /** ISO 8601. */
  created_at: string;
}

/** Keys that sign access tokens for MCP clients; one a period. */
export interface OauthKeysTable {
  kid: string;
  /** Counts the periods since 1970; unique, so that replicas agree on one key. */
  period: number;
  /** The private JWK, encrypted. */
  private_sealed: string;
  /** JSON: the public JWK. */
  public_jwk: string;
  created_at: string;
}

/** Programs that people sign in from (OAuth clients). */
export interface OauthClientsTable {
  /** The id as the client sends it; for client metadata documents their URL. */
  client_id: string;
  /** `registered` (RFC 7591), `document` (client metadata document) or `administrator`. */
  kind: string;
  /** The name that scopes may use for it; only administrators and the shipped list give one. */
  alias: string | null;
  /** What the client calls itself. */
  name: string;
  /** JSON: its metadata as the authorization server uses it. */
  metadata: string;
  /** SHA-256 of its secret, hex; null for public clients. */
  secret_hash: string | null;
  /** JSON array: groups of the client itself, for client credentials. */
  groups: string;
  /** `open`, `pending`, `approved` or `blocked`. */
  status: string;
  /** SHA-256 of the address that registered it, hex; null for others. */
  registered_from: string | null;
  created_by: string;
  created_at: string;
  /** When its document was last read; null for others. */
  fetched_at: string | null;
  last_used_at: string | null;
  /** When a registration ends; null for those that stay. */
  expires_at: string | null;
}

/** What a person granted a client: all tokens that come of it end with it. */
export interface OauthGrantsTable {
  id: string;
  provider: string;
  subject: string;
  username: string;
  client_id: string;
  /** As it was shown when it was granted. */
  client_name: string;
  /** The protected resource (RFC 8707) that its tokens are for. */
  resource: string;
  /** JSON array. */
  scopes: string;
  created_at: string;
  last_used_at: string | null;
  expires_at: string;
  revoked_at: string | null;
  revoked_by: string | null;
  revoked_because: string | null;
  /** How it came about: `consent`, `device` (RFC 8628), `assertion` (RFC 7523) or `exchange` (RFC 8693). */
  via: string;
  /** JSON array: the clients that act for the person by it, the present one first; empty where the client is the person's own. */
  actors: string;
  /** The grant that it came of by token exchange, which it ends with. */
  parent_id: string | null;
  /** The one endpoint, such as `/everything`, to which the person narrowed a grant for all; null for no narrowing. */
  only_at: string | null;
  /** Where the code was sent; null where none was, and for grants of before that was noted. */
  redirect_uri: string | null;
}

/** Requests counted within a window of time, for limits that hold over all replicas. */
export interface OauthRatesTable {
  /** SHA-256 of what is limited and whose it is, with the number of the window. */
  key: string;
  count: number;
  ends_at: string;
}

/** What the authorization server keeps for a while: codes, refresh tokens, interactions, device codes. */
export interface OauthArtifactsTable {
  /** SHA-256 of kind and id, hex: the id may be a secret. */
  id_hash: string;
  model: string;
  grant_id: string | null;
  /** SHA-256 of the code that a person types, hex; null mostly. */
  code_hash: string | null;
  /** JSON, encrypted. */
  payload_sealed: string;
  /** When it was used; it can be used once. */
  consumed_at: string | null;
  expires_at: string;
}

/** What one process at a time does (src/server/db/lease.ts). */
export interface LeasesTable {
  name: string;
  holder: string;
  /** Rises each time it changes hands. */
  fence: number;
  /** Milliseconds since 1970 by the database's clock. */
  expires_at: number;
}

/** Vectors that a service of embeddings made of texts. */
export interface SearchVectorsTable {
  /** Of the service's address, the model and the text. */
  hash: string;
  /** What each byte is to be multiplied by, a colon, and the bytes (int8) in base64. */
  vector: string;
  created_at: string;
}

/** Credentials of people, or of the gateway itself, at servers. */
export interface ConnectionsTable {
  id: string;
  /** Whose it is, as identities name them; both empty for the gateway's own. */
  provider: string;
  subject: string;
  username: string;
  server_id: string;
  /** What it may be used for: `call`. */
  purpose: string;
  mode: string;
  /** The only address it goes to, as origin. */
  address: string;
  /** The authorization server that it came from; null for what a person entered. */
  issuer: string | null;
  /** What the service calls the account; null when it does not say. */
  account: string | null;
  /** JSON array: the scopes that were granted. */
  scopes: string;
  audience: string | null;
  access_sealed: string | null;
  access_expires_at: string | null;
  refresh_sealed: string | null;
  /** The key that sealed them. */
  key_id: string;
  /** When it ends whatever happens; null for never. */
  ends_at: string | null;
  /** `connected`, or `refused` by the server. */
  status: string;
  /** Counts the changes of its secrets, so that an older one never replaces a newer one. */
  generation: number;
  created_at: string;
  updated_at: string;
  last_used_at: string | null;
  /** The method and tool of its last use. */
  last_used_for: string | null;
}

/** Attempts to connect that were used, so that none is used twice. */
export interface ConnectionAttemptsTable {
  state_hash: string;
  used_at: string;
  expires_at: string;
}

/** Clients that the gateway has registered at authorization servers of servers (RFC 7591). */
export interface EgressClientsTable {
  server_id: string;
  issuer: string;
  client_id: string;
  secret_sealed: string | null;
  key_id: string;
  auth_method: string;
  /** When the secret ends; null for never. */
  expires_at: string | null;
  created_at: string;
}

/** Requests for access to servers, and what came of them. */
export interface AccessRequestsTable {
  id: string;
  /** Who asks: provider and stable id. */
  provider: string;
  subject: string;
  username: string;
  /** With its leading slash, as it was asked for; there may be no server. */
  path: string;
  reason: string;
  /** `pending`, `granted`, `declined`, `withdrawn` or `ended`. */
  status: string;
  /** Of person and path while it waits, so that one of them waits at a time; null afterwards. */
  open_key: string | null;
  created_at: string;
  /** The server that access was granted to; another one at that path is none of it. */
  server_id: string | null;
  /** JSON array of the tools that were granted; null for everything. */
  tools: string | null;
  /** What was said about the decision. */
  note: string | null;
  decided_at: string | null;
  decided_by: string | null;
  /** When what was granted ends by itself; null: never. */
  ends_at: string | null;
  ended_at: string | null;
  ended_by: string | null;
}

/** The processes that serve right now. */
export interface ProcessesTable {
  id: string;
  host: string;
  pid: number;
  version: string;
  started_at: string;
  /** Milliseconds since 1970 by the clock of the database. */
  seen_at: number;
}

/** Groups that tokens of a provider name of somebody who has great power by them. */
export interface TokenGroupsTable {
  provider: string;
  subject: string;
  /** JSON array, as scopes map them. */
  groups: string;
  /** ISO 8601 in UTC. */
  seen_at: string;
}

/** Settings that grant something, as they were at the last start. */
export interface SeenSettingsTable {
  name: string;
  /** JSON. */
  value: string;
  /** ISO 8601 in UTC. */
  seen_at: string;
}

/** The keys that seal what is stored, wrapped (src/server/identity/kms). */
export interface DataKeysTable {
  id: string;
  /** Rises with each; unique, so that replicas agree on one. */
  number: number;
  /** What wrapped it, as `Kms` is called. */
  kms: string;
  wrapped: string;
  created_at: string;
}
