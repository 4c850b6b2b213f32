import { t } from '../words/words.ts';
/** What stands on a page of administrators for everybody else. */
export function AdministratorsOnly() {
  return (
    <p className="rounded-md border border-line bg-raised p-6 text-quiet">
      {t('This page is for administrators: members of a group that is mapped to the administrator scopes.')}
    </p>
  );
}
