import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, buttonClass } from '../controls/button.tsx';
import { Fact } from '../controls/fact.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { t } from '../words/words.ts';
import { groupNames, type ScopeInFull, scopesQuery } from './access-query.ts';
import { DeleteScope } from './delete-scope.tsx';
import { sourceWords } from './explained-call.tsx';
import { ScopeInWords } from './scope-in-words.tsx';
import { definitionText } from './scope-text.ts';

/** One scope: where it comes from, who holds it, and its whole definition. */
export function ScopeDetail({ scope }: { scope: ScopeInFull }) {
  const [deleting, setDeleting] = useState(false);
  const { data: list } = useQuery(scopesQuery);
  const names = groupNames(list);
  return (
    <div className="grid gap-4">
      <dl className="grid gap-2 rounded-lg border border-line bg-raised p-4">
        <Fact name={t('Comes from')}>
          {
            { file: t('the scope file'), built_in: t('the gateway: it is built in'), api: t('the API') }[
              scope.source
            ]
          }
        </Fact>
        <Fact name={t('Assigned to')}>
          {scope.group_mappings.length === 0 && t('no group')}
          {scope.group_mappings.map((group) => (
            <span key={group} className="block break-all">
              <span title={group}>{names.get(group.toLowerCase()) ?? group}</span>
            </span>
          ))}
        </Fact>
        {scope.description && <Fact name={t('Description')}>{scope.description}</Fact>}
        <Fact name={t('Changed')}>
          <RelativeTime iso={scope.updated_at} />
        </Fact>
      </dl>
      {scope.source === 'built_in' && (
        <p className="rounded-md border border-line bg-raised p-4 text-quiet">
          {t(
            'Built-in roles are read-only. To give a group more, create a scope for it; to replace the roles, write a scope file.',
          )}
        </p>
      )}
      {scope.source === 'file' && !scope.editable && (
        <p className="rounded-md border border-line bg-raised p-4 text-quiet">
          {t(
            'A scope {file} is read-only here. Change it in the scope file: the gateway reads that again as soon as it is saved.',
            { file: sourceWords.file },
          )}
        </p>
      )}
      {scope.editable && (
        <div className="flex gap-2">
          <Link to="/access/edit/$" params={{ _splat: scope.scope_name }} className={buttonClass()}>
            {t('Change')}
          </Link>
          <Button onClick={() => setDeleting(true)}>{t('Delete')}</Button>
        </div>
      )}
      {deleting && <DeleteScope scope={scope} onClose={() => setDeleting(false)} />}
      <ScopeInWords scope={scope} />
      <details>
        <summary className="w-fit rounded-sm underline underline-offset-4">{t('Definition as JSON')}</summary>
        <pre className="mt-2 rounded-md border border-line bg-sunken p-3 font-mono text-code break-all whitespace-pre-wrap">
          {definitionText(scope)}
        </pre>
      </details>
    </div>
  );
}
