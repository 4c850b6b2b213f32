import { useQuery } from '@tanstack/react-query';
import { factsOf, uiPermissions } from '../../contract/permissions.ts';
import { agentActions } from '../../contract/scopes.ts';
import { scopesQuery, unknownGroup } from '../access/access-query.ts';
import { permissionWords } from '../access/permission-words.ts';
import { faultAt, type ScopeDraft, type ScopeFaults } from '../access/scope-draft.ts';
import { agentsQuery, programsQuery, serversQuery } from '../api.ts';
import { NamesField } from '../controls/fields/names-field.tsx';
import { TextField } from '../controls/fields/text-field.tsx';
import { t } from '../words/words.ts';
import { GrantFields } from './grant-fields.tsx';
import { RuleFields } from './rule-fields.tsx';

/** The fields of a scope, each with what is wrong at its place; they offer what the catalogue and the directory have. */
export function ScopeFields({
  draft,
  isNew,
  faults,
  onChange,
}: {
  draft: ScopeDraft;
  isNew: boolean;
  faults: ScopeFaults;
  onChange: (draft: ScopeDraft) => void;
}) {
  const { data: scopes } = useQuery(scopesQuery);
  const { data: servers } = useQuery(serversQuery);
  const { data: agents } = useQuery(agentsQuery);
  const { data: programs } = useQuery(programsQuery);
  const everything = { value: 'all', words: t('All') };
  const agentOffers = [
    everything,
    ...(agents?.agents ?? []).map(({ path, name }) => ({ value: path, words: name })),
  ];
  const serverOffers = [
    everything,
    ...(servers?.servers ?? []).map(({ path, server_name }) => ({
      value: path.slice(1),
      words: server_name,
    })),
  ];
  const offersOf = {
    server: serverOffers,
    agent: agentOffers,
    virtual_server: [everything],
    everything: [everything],
  };
  const groups = (scopes?.keycloak_groups ?? []).map(({ mapping, name }) => ({
    value: mapping,
    words: name,
  }));
  const agentsAt = `server_access.${draft.rules.length}.agents.actions`;
  return (
    <>
      <div className="grid gap-4">
        <TextField
          label={t('Name')}
          value={draft.scope_name}
          readOnly={!isNew}
          fault={faultAt(faults, 'scope_name')}
          hint={
            isNew
              ? t('For example team/readers. Cannot be changed later.')
              : t('Cannot be changed: tokens and files refer to the scope by its name.')
          }
          onChange={(scope_name) => onChange({ ...draft, scope_name })}
        />
        <TextField
          label={t('Description')}
          rows={2}
          value={draft.description}
          fault={faultAt(faults, 'description')}
          onChange={(description) => onChange({ ...draft, description })}
        />
        <NamesField
          label={t('Assigned to groups')}
          names={draft.group_mappings}
          suggestions={groups}
          unknown={unknownGroup(scopes)}
          hint={
            scopes?.directory
              ? t('Choose groups of the directory by name. With none, the scope is assigned to no one.')
              : t(
                  'As the provider names them (Entra: Object IDs). With none, the scope is assigned to no one.',
                )
          }
          fault={faultAt(faults, 'group_mappings')}
          onChange={(group_mappings) => onChange({ ...draft, group_mappings })}
        />
        <NamesField
          label={t('Only from these programs')}
          names={draft.clients ?? []}
          suggestions={(programs?.items ?? []).map(({ client_id, alias, client_name }) => ({
            value: alias ?? client_id,
            words: client_name,
          }))}
          hint={t(
            'Client ids or aliases of programs that people sign in from. With none, the scope always counts; with one, in no browser session and no personal token.',
          )}
          fault={faultAt(faults, 'clients')}
          onChange={(clients) => onChange({ ...draft, clients: clients.length > 0 ? clients : undefined })}
        />
        {isNew && scopes?.directory && (
          <label className="flex items-start gap-2">
            <input
              type="checkbox"
              checked={draft.create_in_idp}
              onChange={(event) => onChange({ ...draft, create_in_idp: event.currentTarget.checked })}
              className="mt-0.5 size-4 shrink-0 accent-accent"
            />
            <span>{t('Also create a directory group with this name and assign the scope to it')}</span>
          </label>
        )}
      </div>
      <RuleFields rules={draft.rules} faults={faults} onChange={(rules) => onChange({ ...draft, rules })} />
      <GrantFields
        title={t('In the registry')}
        about={t(
          'What can be seen and done in the web interface and the API. It does not allow calls to a server.',
        )}
        row={t('Permission')}
        add={t('Add a permission')}
        wordsOf={(name) => `${permissionWords(name)} (${name})`}
        choices={uiPermissions}
        grants={draft.permissions}
        offersFor={(name) => offersOf[factsOf(name)?.of ?? 'everything']}
        faultOf={({ name }) => faultAt(faults, `ui_permissions.${name}`)}
        onChange={(permissions) => onChange({ ...draft, permissions })}
      />
      <GrantFields
        title={t('Agents')}
        about={t('Actions on agents, by their paths.')}
        row={t('Action')}
        add={t('Add an action')}
        wordsOf={(name) => name}
        choices={agentActions}
        grants={draft.actions}
        offersFor={() => agentOffers}
        faultOf={(_, at) => faultAt(faults, `${agentsAt}.${at}`)}
        onChange={(actions) => onChange({ ...draft, actions })}
      />
      <NamesField
        label={t('Other agents that are visible')}
        names={draft.agent_access}
        suggestions={agentOffers}
        fault={faultAt(faults, 'agent_access')}
        onChange={(agent_access) => onChange({ ...draft, agent_access })}
      />
    </>
  );
}
