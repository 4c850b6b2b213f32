import type { EndpointId, endpoints } from './index.ts';

/**
 * Method and URL path of every endpoint, free of schemas, so that a browser or a command line loads no validator to make
 * a call. The type holds each row to the literal in the endpoint table: a missing or different one does not compile.
 */
export const routes: { readonly [K in EndpointId]: Pick<(typeof endpoints)[K], 'method' | 'path'> } = {
  'system.health': { method: 'GET', path: '/health' },
  'system.version': { method: 'GET', path: '/api/version' },
  'system.doctor': { method: 'GET', path: '/api/doctor' },
  'system.metrics': { method: 'GET', path: '/api/metrics' },
  'auth.me': { method: 'GET', path: '/api/auth/me' },
  'auth.providers': { method: 'GET', path: '/api/auth/providers' },
  'auth.commandLine': { method: 'GET', path: '/api/auth/command-line' },
  'auth.csrf': { method: 'GET', path: '/api/auth/csrf-token' },
  'sessions.list': { method: 'GET', path: '/api/sessions' },
  'sessions.end': { method: 'DELETE', path: '/api/sessions/{id}' },
  'sessions.endAll': { method: 'POST', path: '/api/people/{provider}/{subject}/end-sessions' },
  'tokens.generate': { method: 'POST', path: '/api/tokens/generate' },
  'tokens.list': { method: 'GET', path: '/api/tokens' },
  'tokens.revoke': { method: 'DELETE', path: '/api/tokens/{id}' },
  'servers.list': { method: 'GET', path: '/api/servers' },
  'servers.register': { method: 'POST', path: '/api/servers' },
  'servers.toggle': { method: 'POST', path: '/api/servers/{path}/toggle' },
  'servers.health': { method: 'POST', path: '/api/servers/{path}/health' },
  'servers.tools': { method: 'GET', path: '/api/servers/{path}/tools' },
  'servers.events': { method: 'GET', path: '/api/servers/events' },
  'servers.get': { method: 'GET', path: '/api/servers/{path}' },
  'servers.replace': { method: 'PUT', path: '/api/servers/{path}' },
  'servers.credential': { method: 'PATCH', path: '/api/servers/{path}/auth-credential' },
  'servers.patch': { method: 'PATCH', path: '/api/servers/{path}' },
  'servers.remove': { method: 'DELETE', path: '/api/servers/{path}' },
};
