import type { Me } from '../api.ts';
import { t } from '../words/words.ts';

/** How far somebody's permissions on servers go, in a word or two. */
export function accessWords(me: Me): string {
  if (me.is_admin) return t('Admin');
  if (me.scopes.length === 0) return t('No access');
  const changes = ['register_service', 'modify_service', 'toggle_service', 'delete_service'] as const;
  return changes.some((one) => (me.ui_permissions[one]?.length ?? 0) > 0) ? t('Modify') : t('Read-only');
}
