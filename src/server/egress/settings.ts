import type { EgressMode } from '../../contract/servers/egress-words.ts';
import type { EgressInput } from '../../contract/servers/server-egress.ts';
import { Failure, invalidInput } from '../failure/errors.ts';
import { services } from './services.ts';
import type { ConnectionVault, SealedFor } from './vault.ts';

/** The modes in which the credential of a call is looked up here; in the others it is the operator's, or nobody's. */
export type ConnectedMode = Exclude<EgressMode, 'none' | 'operator_credential'>;

/** How the credentials of people at a server are arranged, as it is stored. */
export interface EgressSettings extends Omit<EgressInput, 'egress_auth_mode' | 'client_secret'> {
  readonly egress_auth_mode: ConnectedMode;
  /** Sealed; null when there is none. */
  readonly client_secret: { readonly keyId: string; readonly sealed: string } | null;
}

/** What a server's own settings are sealed for. */
export function sealedForServer(serverId: string): SealedFor {
  return { provider: '', subject: '', serverId, purpose: 'client', address: '' };
}

/** The secret of the client that was given for a server; undefined when none was, `credential_unreadable` when its key is gone. */
export function clientSecretOf(
  vault: ConnectionVault,
  serverId: string,
  { client_secret: stored }: EgressSettings,
): string | undefined {
  if (!stored) return undefined;
  const text = vault.open(sealedForServer(serverId), 'client-secret', stored);
  if (text !== undefined) return text;
  throw new Failure(
    'credential_unreadable',
    'The client secret of this server is encrypted with a key that is not available; an administrator must set it again (mcp-gateway connection configure).',
  );
}

/** The same settings with their secret sealed with the present key; undefined when it cannot be opened. */
export function resealedSettings(
  vault: ConnectionVault,
  serverId: string,
  settings: EgressSettings,
): EgressSettings | undefined {
  if (!settings.client_secret) return settings;
  const text = vault.open(sealedForServer(serverId), 'client-secret', settings.client_secret);
  if (text === undefined) return undefined;
  const sealed = vault.seal(sealedForServer(serverId), 'client-secret', text);
  return { ...settings, client_secret: { keyId: vault.keyId, sealed } };
}

/** Which audiences and scopes tokens for servers may be asked for, by the operator's settings; empty: any. A `*` at the end stands for more. */
export interface EgressLimits {
  readonly audiences: readonly string[];
  readonly scopes: readonly string[];
}

/** What settings say beyond the operator's limits, in words; undefined when nothing. */
export function beyondLimits(
  { scopes, target_audience }: Pick<EgressSettings, 'scopes' | 'target_audience'>,
  limits: EgressLimits,
): string | undefined {
  const scope = scopes.find((one) => !isWithin(one, limits.scopes));
  if (scope !== undefined) return `the scope '${scope}' is not one of EGRESS_ALLOWED_SCOPES`;
  if (target_audience !== null && !isWithin(target_audience, limits.audiences))
    return `the audience '${target_audience}' is not one of EGRESS_ALLOWED_AUDIENCES`;
  return undefined;
}

/** Whether a value is one of those that the operator allows. */
export function isWithin(value: string, allowed: readonly string[]): boolean {
  if (allowed.length === 0) return true;
  return allowed.some((one) => (one.endsWith('*') ? value.startsWith(one.slice(0, -1)) : value === one));
}

/** Settings from what an administrator says; `before` gives the secret that is kept. Fails with `invalid_input`. */
export function settingsFrom(
  vault: ConnectionVault,
  serverId: string,
  input: EgressInput & { egress_auth_mode: ConnectedMode },
  before: EgressSettings | null,
  limits: EgressLimits,
): EgressSettings {
  const { client_secret: given, ...said } = input;
  const fault = faultOf(said, limits);
  if (fault) throw faulty(fault.at, fault.message);
  const keeps = given === undefined && before?.client_id === said.client_id;
  const client_secret =
    given === undefined
      ? keeps
        ? (before?.client_secret ?? null)
        : null
      : { keyId: vault.keyId, sealed: vault.seal(sealedForServer(serverId), 'client-secret', given) };
  if (client_secret && said.client_id === null)
    throw faulty('client_id', 'is missing; the secret is that of a client');
  if ([said.egress_auth_mode, said.discovery].includes('client_credentials') && !client_secret)
    throw faulty('client_secret', "is missing; 'client_credentials' needs a client with a secret");
  return { ...said, client_secret };
}

function faultOf(
  said: Omit<EgressSettings, 'client_secret'>,
  limits: EgressLimits,
): { at: string; message: string } | undefined {
  const beyond = beyondLimits(said, limits);
  if (beyond) return { at: 'scopes', message: `${beyond}; choose another, or extend the setting` };
  const mode = said.egress_auth_mode;
  const suits = {
    none: true,
    client_credentials: mode !== 'client_credentials' && said.client_id !== null,
    person: mode === 'oauth_user' || mode === 'pat',
    app_only: mode === 'obo_exchange',
  };
  if (!suits[said.discovery])
    return {
      at: 'discovery',
      message:
        "does not suit the mode: 'client_credentials' needs a client with a secret, 'person' goes with oauth_user and pat, 'app_only' with obo_exchange",
    };
  const known = services[said.egress_provider];
  const hasBoth = said.custom_authorize_url !== null && said.custom_token_url !== null;
  if (mode === 'oauth_user') {
    if ((said.custom_authorize_url === null) !== (said.custom_token_url === null) && !known)
      return {
        at: 'custom_token_url',
        message: 'give both custom_authorize_url and custom_token_url, or neither',
      };
    if ((known || hasBoth) && !said.custom_issuer && said.client_id === null && !known?.registers)
      return {
        at: 'client_id',
        message: 'is missing; this service takes only clients that are registered there',
      };
  }
  if (mode === 'client_credentials' && said.client_id === null)
    return { at: 'client_id', message: "is missing; 'client_credentials' needs a client" };
  if (mode === 'obo_exchange' && said.scopes.length === 0 && said.target_audience === null)
    return {
      at: 'scopes',
      message:
        "are missing; an exchange needs what it is for: scopes such as 'api://.../.default', or target_audience",
    };
  return undefined;
}

/** Whether a change lets credentials of people go to a server that did not, or lets them do more. */
export function widens(before: EgressSettings | null, after: EgressSettings | null): boolean {
  if (!after) return false;
  if (!before) return true;
  const { scopes: had, max_days: days, client_secret: _, ...same } = before;
  const { scopes, max_days, client_secret: __, ...rest } = after;
  return (
    JSON.stringify(same, Object.keys(same).sort()) !== JSON.stringify(rest, Object.keys(same).sort()) ||
    scopes.some((one) => !had.includes(one)) ||
    max_days > days ||
    (after.client_secret?.sealed ?? null) !== (before.client_secret?.sealed ?? null)
  );
}

/** Whether connections that people made under one arrangement may be used under another: the same service, client and kind. */
export function keepsConnections(before: EgressSettings | null, after: EgressSettings | null): boolean {
  if (!before || !after) return false;
  const what = (one: EgressSettings): string =>
    JSON.stringify([
      ...[
        one.egress_auth_mode,
        one.egress_provider,
        one.client_id,
        one.target_audience,
        one.audience_parameter,
      ],
      ...[one.custom_authorize_url, one.custom_token_url, one.custom_issuer],
      ...[...one.scopes].sort(),
    ]);
  return what(before) === what(after);
}

function faulty(field: string, message: string): Failure {
  const at = `body.${field}`;
  return invalidInput([{ at, message }]);
}
