import type { UiPermission } from '../../contract/permissions.ts';
import { t } from '../words/words.ts';

const words: Readonly<Record<UiPermission, string>> = {
  list_service: t('Find servers'),
  get_service: t('See the details of servers'),
  register_service: t('Register servers'),
  modify_service: t('Change servers'),
  toggle_service: t('Switch servers on and off'),
  health_check_service: t('Check the health of servers'),
  delete_service: t('Remove servers'),
  list_tools: t('See the tools of servers'),
  call_tool: t('Try tools of servers'),
  list_agents: t('Find agents'),
  get_agent: t('See the cards of agents'),
  publish_agent: t('Register agents'),
  modify_agent: t('Change agents'),
  delete_agent: t('Remove agents'),
  list_virtual_server: t('Find virtual servers'),
  create_virtual_server: t('Create virtual servers'),
  modify_virtual_server: t('Change virtual servers'),
  delete_virtual_server: t('Remove virtual servers'),
  read_audit: t('Read the audit trail'),
};

/** What a permission lets one do; the permission itself where it is none that the gateway knows. */
export function permissionWords(permission: string): string {
  return Object.hasOwn(words, permission) ? words[permission as UiPermission] : permission;
}
