import type { AuditEventShown } from '../api.ts';
import { t } from '../words/words.ts';

/** What the endpoints and methods that people meet most do, as a part of a sentence; others are named. */
const verbs: Readonly<Record<string, string>> = {
  'tools/call': t('called'),
  'tools/list': t('listed the tools of'),
  'prompts/get': t('got a prompt of'),
  'resources/read': t('read a resource of'),
  'prompts/list': t('listed the prompts of'),
  'resources/list': t('listed the resources of'),
  'resources/templates/list': t('listed the resource templates of'),
  'server/discover': t('asked for the capabilities of'),
  initialize: t('connected to'),
  'notifications/initialized': t('finished connecting to'),
  ping: t('pinged'),
  $stream: t('opened a stream from'),
  $end: t('ended a session with'),
  'servers.register': t('registered the server'),
  'servers.toggle': t('switched the server'),
  'servers.patch': t('changed the server'),
  'servers.replace': t('changed the server'),
  'servers.remove': t('removed the server'),
  'servers.credential': t('changed the credential of the server'),
  'servers.health': t('checked the server'),
  'scopes.import': t('saved a scope'),
  'scopes.delete': t('deleted a scope'),
  'groups.create': t('created the scope'),
  'tokens.generate': t('created a token'),
  'tokens.revoke': t('revoked the token'),
  'tokens.revokeAll': t('revoked all tokens of'),
  'sessions.end': t('ended the session'),
  'sessions.endAll': t('ended all sessions of'),
  'accessRequests.create': t('asked for access to'),
  'accessRequests.grant': t('granted the request'),
  'accessRequests.decline': t('declined the request'),
  'accessRequests.withdraw': t('withdrew the request'),
  'accessRequests.end': t('ended what was granted by the request'),
  'agents.register': t('registered the agent'),
  'agents.replace': t('changed the agent'),
  'agents.remove': t('removed the agent'),
  'agents.toggle': t('switched the agent'),
  'servers.configureEgress': t('changed whose credential is sent to the server'),
  'users.groups': t('changed the groups of'),
  'users.createHuman': t('created an account'),
  'users.createM2m': t('created an application'),
  'users.remove': t('deleted the account'),
  'users.rotateSecret': t('replaced the secret of'),
  'groups.patch': t('changed the scope'),
  'groups.remove': t('deleted the scope'),
  'scopes.create': t('created the scope'),
  'virtualServers.create': t('created the virtual server'),
  'virtualServers.change': t('changed the virtual server'),
  'virtualServers.toggle': t('switched the virtual server'),
  'virtualServers.remove': t('removed the virtual server'),
  'oauthClients.create': t('registered the client'),
  'oauthClients.change': t('changed the client'),
  'oauthClients.remove': t('removed the client'),
  'connectedClients.end': t('disconnected the client'),
  'connections.initiate': t('began to connect to'),
  'connections.enter': t('entered a token for'),
  'connections.remove': t('disconnected from'),
  'agents.patch': t('changed the agent'),
};

/** An event as a sentence: who did what to what, and that it was not allowed where that is so. */
export function sentenceOf(event: AuditEventShown): string {
  const { username, client_ip, kind, action, resource, tool, decision } = event;
  const somewhere = event.last_at === null ? t('an unknown address') : t('several addresses');
  const who = username ?? t('Someone from {address}', { address: client_ip ?? somewhere });
  if (kind === 'sign-in')
    return decision === 'allow'
      ? t('{who} signed in or out', { who })
      : t('{who} failed to sign in', { who });
  // Nobody did that: the provider reported other groups than before.
  if (action === 'people.groups')
    return t('The groups of {name} changed', { name: username ?? resource ?? '' });
  const verb = verbs[action];
  const what = verb ?? t('used {action}', { action });
  const on = tool !== null ? `${tool} ${t('on')} ${resource ?? ''}` : (resource ?? '');
  const end = decision === 'deny' ? t('(denied)') : decision === 'error' ? t('(failed)') : '';
  return [who, what, on, end].filter(Boolean).join(' ');
}
