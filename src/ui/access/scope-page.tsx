import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { meQuery } from '../api.ts';
import { AdministratorsOnly } from '../controls/administrators-only.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { scopeQuery } from './access-query.ts';
import { ScopeDetail } from './scope-detail.tsx';

/** For administrators: one scope, whole; those of the API can be deleted. */
export function ScopePage() {
  const { _splat: name = '' } = useParams({ from: '/signed-in/access/scopes/$' });
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return <Page title={name}>{me.is_admin ? <Loaded name={name} /> : <AdministratorsOnly />}</Page>;
}

function Loaded({ name }: { name: string }) {
  const { data, error, isPending, refetch } = useQuery(scopeQuery(name));
  if (isPending) return <Pending rows={6} />;
  if (!data) return <Problem error={error} retry={() => void refetch()} />;
  // Another scope begins with its own text.
  return <ScopeDetail key={name} scope={data} />;
}
