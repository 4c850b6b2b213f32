import type { AuditEvent } from '../event.ts';

/** An event that a sink may write, with an action to tell it by and text that is not ASCII. */
export const eventNamed = (action: string): AuditEvent => ({
  ...{
    kind: 'mcp',
    at: '2026-01-01T00:00:00.250Z',
    correlationId: 'c',
    clientIp: null,
    resource: 'r',
    action,
  },
  who: { provider: 'entra', subject: 's', username: 'alice', clientId: null, method: 'bearer' },
  ...{ decision: 'allow', status: 200, durationMs: 1, detail: { deep: ['ü'] } },
});
