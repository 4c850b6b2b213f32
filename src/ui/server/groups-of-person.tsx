import { useInfiniteQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useDeferredValue, useId, useState } from 'react';
import { accountsQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { t } from '../words/words.ts';

/** Finds a person in the directory and offers the groups that they are in; access is given to groups, never to a person. */
export function GroupsOfPerson({
  onChoose,
  mappingOf,
}: {
  onChoose: (group: string) => void;
  /** What scopes call a group, by its name or id in the directory; undefined for one that the directory does not list. */
  mappingOf: (name: string) => string | undefined;
}) {
  const id = useId();
  const [text, setText] = useState('');
  const asked = useDeferredValue(text.trim());
  const { data } = useInfiniteQuery({ ...accountsQuery(asked), enabled: asked.length > 1, retry: 0 });
  const people = (data?.pages[0]?.users ?? []).slice(0, 4);
  return (
    <details>
      <summary className="w-fit rounded-sm text-quiet underline underline-offset-4">
        {t('Find the groups of a person')}
      </summary>
      <div className="mt-2 grid gap-2">
        <label htmlFor={id} className="sr-only">
          {t('Start of a name or user name')}
        </label>
        <input
          id={id}
          value={text}
          placeholder={t('Start of a name or user name')}
          autoComplete="off"
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
          className="h-8 w-full rounded-md border border-edge bg-raised px-2.5 placeholder:text-quiet"
        />
        <ul aria-label={t('People found')} className="grid gap-2">
          {people.map(({ id: key, username, groups, group_ids: ids }) => (
            <li key={key} className="grid gap-1">
              <p className="font-medium break-all">{username}</p>
              <div className="flex flex-wrap gap-1">
                {(groups ?? []).map((group, at) => {
                  const mapping = mappingOf(ids?.[at] ?? group) ?? mappingOf(group);
                  return mapping === undefined ? null : (
                    <Button key={group} onClick={() => onChoose(mapping)}>
                      <Plus size={13} aria-hidden />
                      {group}
                    </Button>
                  );
                })}
                {groups?.length === 0 && <p className="text-quiet">{t('In no group.')}</p>}
              </div>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
