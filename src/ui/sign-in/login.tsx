import { useQuery } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { FlaskConical } from 'lucide-react';
import { useEffect } from 'react';
import { meQuery, providersQuery, signInFaultQuery } from '../api.ts';
import { buttonClass } from '../controls/button.tsx';
import { Page } from '../controls/page.tsx';
import { Pending } from '../controls/pending.tsx';
import { Problem } from '../controls/problem.tsx';
import { Outside } from '../shell/outside.tsx';
import { parts, t } from '../words/words.ts';
import { SignInFault } from './sign-in-fault.tsx';

/** The sign-in page: one button per identity provider, and why the last attempt failed. */
export function Login() {
  const { error, correlation_id = '', next } = useSearch({ from: '/login' });
  const target = pathWithin(next);
  const router = useRouter();
  const { isSuccess: isSignedIn } = useQuery({ ...meQuery, retry: 0, enabled: error === undefined });
  const { data: fault, isLoading } = useQuery(signInFaultQuery(correlation_id));
  const leaves = isSignedIn && error === undefined;
  useEffect(() => {
    if (leaves) router.history.replace(target);
  }, [leaves, router, target]);
  if (leaves) return null;
  return (
    <Outside>
      {error && !isLoading && (
        <SignInFault
          code={fault?.error ?? error}
          {...(fault ? { details: fault.details, correlationId: fault.correlation_id } : {})}
        />
      )}
      <Page title={t('Sign in')}>
        <p className="mb-5 text-quiet">
          {t('Find the MCP servers that you can use, and get a token for your agent.')}
        </p>
        <Providers target={target} />
      </Page>
    </Outside>
  );
}

function Providers({ target }: { target: string }) {
  const { data, error, isPending, refetch } = useQuery(providersQuery);
  if (isPending) return <Pending rows={2} />;
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (data.providers.length === 0)
    return (
      <p className="rounded-md border border-line bg-raised p-3">
        {parts(
          'No identity provider is set up. An administrator sets {code} and the settings of that provider, then starts the gateway again.',
          { code: <code className="font-mono">AUTH_PROVIDER</code> },
        )}
      </p>
    );
  return (
    <>
      <ul className="grid gap-2">
        {data.providers.map(({ name, display_name }, index) => (
          <li key={name}>
            <a
              href={`/oauth2/login/${encodeURIComponent(name)}?redirect_uri=${encodeURIComponent(target)}`}
              className={buttonClass(index === 0 ? 'primary' : 'plain', 'h-10 w-full')}
            >
              {t('Sign in with {provider}', { provider: display_name })}
            </a>
          </li>
        ))}
      </ul>
      {data.evaluation && (
        <p className="mt-6 flex gap-2 text-quiet">
          <FlaskConical size={16} aria-hidden className="mt-0.5 shrink-0" />
          <span>
            <strong className="font-semibold text-ink">{t('Evaluation mode.')}</strong>{' '}
            {t(
              'The next page is an emulator of Entra ID on this machine that lists demo accounts: pick one of them.',
            )}
          </span>
        </p>
      )}
    </>
  );
}

/** `next` when it is a path of this site, else the first page: anything else could lead to another site. */
function pathWithin(next: string | undefined): string {
  if (!next?.startsWith('/') || /^\/[/\\]/.test(next)) return '/';
  const url = new URL(next, location.origin);
  return url.origin === location.origin && url.pathname !== '/login'
    ? `${url.pathname}${url.search}${url.hash}`
    : '/';
}
