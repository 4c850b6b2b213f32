import type { Me } from '../api.ts';

/** What the URL of the audit page holds. */
export const auditKeys = [
  ...(['period', 'from', 'to', 'matter', 'kind', 'decision', 'q', 'subject'] as const),
  ...(['username', 'resource', 'tool', 'reason', 'credential', 'open'] as const),
] as const;

/** The audit page's view, as the URL has it: every text may be written by anybody. */
export type AuditSearch = { [K in (typeof auditKeys)[number]]?: string | undefined };

/** Whether somebody may read the audit trail. */
export function readsAudit(me: Me): boolean {
  return me.is_admin || (me.ui_permissions.read_audit?.length ?? 0) > 0;
}
