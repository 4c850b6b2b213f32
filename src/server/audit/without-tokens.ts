import type { AuditEvent } from './event.ts';

const jwt = /eyJ[\w-]{8,}\.eyJ[\w-]{8,}[\w.-]*/g;

/** The event without tokens in what a caller names: somebody may send one in the place of a tool, a method or a path. */
export function withoutTokens(event: AuditEvent): AuditEvent {
  const { action, resource, tool } = event;
  const detail = event.detail && JSON.stringify(event.detail);
  if (![action, resource, tool, detail].some((text) => text?.includes('eyJ'))) return event;
  const hide = (text: string): string => text.replace(jwt, '[a token]');
  return {
    ...event,
    action: hide(action),
    resource: resource === null ? null : hide(resource),
    ...(tool === undefined ? {} : { tool: hide(tool) }),
    ...(detail === undefined ? {} : { detail: JSON.parse(hide(detail)) as AuditEvent['detail'] }),
  };
}
