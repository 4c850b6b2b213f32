import { t } from '../words/words.ts';
import { Empty } from './empty.tsx';
/** What stands on a page of administrators for everybody else. */
export function AdministratorsOnly() {
  return (
    <Empty>
      {t('This page is for administrators: members of a group that is mapped to the administrator scopes.')}
    </Empty>
  );
}
