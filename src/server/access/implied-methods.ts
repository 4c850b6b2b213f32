/** Stands for a legacy GET stream, by which a server sends to a client; it has no JSON-RPC method of its own. */
export const streamMethod = '$stream';
/** Stands for the end of a session by HTTP DELETE. */
export const endMethod = '$end';
/** Stands for a client's answer to a request that the server sent. */
export const responseMethod = '$response';

/**
 * What a grant of one method covers besides it. Whoever may open a conversation may also keep it alive, be told about it
 * and end it; `server/discover` and `subscriptions/listen` are how protocol 2026-07-28 does what `initialize` and the GET
 * stream did before. Everything not listed needs a rule that names it.
 */
export const impliedMethods: Readonly<Record<string, readonly string[]>> = {
  initialize: [
    'notifications/initialized',
    'notifications/cancelled',
    'notifications/progress',
    'notifications/roots/list_changed',
    'ping',
    'logging/setLevel',
    'completion/complete',
    'prompts/list',
    'resources/list',
    'resources/templates/list',
    'server/discover',
    'subscriptions/listen',
    streamMethod,
    endMethod,
    responseMethod,
  ],
};
