import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { scopeQuery } from '../access/access-query.ts';
import { meQuery } from '../api.ts';
import { AdministratorsOnly } from '../controls/administrators-only.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { t } from '../words/words.ts';
import { ScopeForm } from './scope-form.tsx';

/** For administrators: makes a scope. */
export function NewScope() {
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return <Page title={t('Create a scope')}>{me.is_admin ? <ScopeForm /> : <AdministratorsOnly />}</Page>;
}

/** For administrators: changes a scope of the API. */
export function EditScope() {
  const { _splat: name = '' } = useParams({ from: '/signed-in/access/edit/$' });
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return (
    <Page title={t('Change {name}', { name })}>
      {me.is_admin ? <Loaded name={name} /> : <AdministratorsOnly />}
    </Page>
  );
}

function Loaded({ name }: { name: string }) {
  // So that a change by somebody else is told before a save is refused for it.
  const { data, error, isPending, refetch } = useQuery({ ...scopeQuery(name), refetchInterval: 20_000 });
  if (isPending) return <Pending rows={6} />;
  if (!data) return <Problem error={error} retry={() => void refetch()} />;
  if (data.editable) return <ScopeForm key={name} scope={data} />;
  return (
    <p>
      {t('This scope comes from the scope file and is changed there.')}{' '}
      <Link to="/access/scopes/$" params={{ _splat: name }} className="underline underline-offset-4">
        {t('Look at it')}
      </Link>
    </p>
  );
}
