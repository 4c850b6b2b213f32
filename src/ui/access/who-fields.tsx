import { TextField } from '../controls/fields/text-field.tsx';
import { t } from '../words/words.ts';

/** Who is asked about: somebody known here, or members of groups, one a line. */
export interface WhoAsked {
  readonly by: string;
  readonly who: string;
}

/** The fields that say who is asked about. */
export function WhoFields({
  asked: { by, who },
  change,
}: {
  asked: WhoAsked;
  change: (changed: Partial<WhoAsked>) => void;
}) {
  return (
    <>
      <TextField
        label={t('Who')}
        value={by}
        options={[
          ['username', t('A person or application')],
          ['groups', t('Members of groups')],
        ]}
        onChange={(chosen) => change({ by: chosen, who: '' })}
      />
      {by === 'groups' ? (
        <TextField
          label={t('Groups')}
          value={who}
          rows={2}
          hint={t('One per line, as the provider names them (Entra: Object IDs).')}
          onChange={(text) => change({ who: text })}
        />
      ) : (
        <TextField
          label={t('User name or application')}
          value={who}
          hint={t('A person who has signed in, or an application by client id or name.')}
          onChange={(text) => change({ who: text })}
        />
      )}
    </>
  );
}

/** The same as the API takes it. */
export function subjectOf({ by, who }: WhoAsked): { groups: string[] } | { username: string } {
  const lines = who.split('\n').map((line) => line.trim());
  return by === 'groups' ? { groups: lines.filter((line) => line !== '') } : { username: who.trim() };
}
