import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { permissionWords } from '../access/permission-words.ts';
import { type Me, meQuery, providersQuery } from '../api.ts';
import { buttonClass } from '../controls/button.tsx';
import { CopyText } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { Page } from '../controls/page.tsx';
import { RelativeTime } from '../controls/relative-time.tsx';
import { SignOut } from '../controls/sign-out.tsx';
import { parts, t } from '../words/words.ts';
import { accessWords } from './access-words.ts';
import { useMyGroups } from './my-groups.ts';

/** Who is signed in: the account, what its groups give, and the way to its sessions and tokens. */
export function Account() {
  const { data: me } = useQuery(meQuery);
  return me ? <Known me={me} /> : null;
}

function Known({ me }: { me: Me }) {
  const groups = useMyGroups(me);
  return (
    <Page title={t('My access')} actions={<SignOut />}>
      <div className="grid gap-6">
        <Facts me={me} />
        <div className="flex flex-wrap gap-2">
          <Link to="/sessions" className={buttonClass()}>
            {t('Your sessions')}
          </Link>
          <Link to="/tokens" className={buttonClass()}>
            {t('Your tokens')}
          </Link>
        </div>
        <div className="grid gap-x-10 gap-y-6 lg:grid-cols-2">
          <Names
            title={t('Groups')}
            names={groups}
            none={t('The identity provider reported no groups for this account.')}
          >
            {t('As the identity provider names them. All your permissions come from them.')}
          </Names>
          <Names
            title={t('Scopes')}
            names={me.scopes.map((name) => ({ id: name, name }))}
            none={t('No scope')}
          >
            {t('What your groups are mapped to. A token that you create can be limited to some of them.')}
          </Names>
        </div>
        <Permissions me={me} />
      </div>
    </Page>
  );
}

function Facts({ me }: { me: Me }) {
  const { data: offered } = useQuery(providersQuery);
  const provider = offered?.providers.find(({ name }) => name === me.provider)?.display_name ?? me.provider;
  return (
    <dl className="grid gap-2.5 rounded-lg border border-line bg-raised p-4">
      {me.name !== null && <Fact name={t('Name')}>{me.name}</Fact>}
      <Fact name={t('User name')}>{me.username}</Fact>
      {me.email !== null && me.email !== me.username && <Fact name={t('E-mail')}>{me.email}</Fact>}
      <Fact name={t('Signed in')}>{t('with {provider}', { provider })}</Fact>
      {me.session_ends_at !== null && (
        <Fact name={t('This session')}>
          {parts('ends {time}', { time: <RelativeTime iso={me.session_ends_at} /> })}
        </Fact>
      )}
      <Fact name={t('Access')}>{accessWords(me)}</Fact>
    </dl>
  );
}

function Names({
  title,
  names,
  none,
  children,
}: {
  title: string;
  names: readonly { readonly id: string; readonly name: string }[];
  none: string;
  children: ReactNode;
}) {
  return (
    <section aria-label={title} className="grid content-start gap-2">
      <h2 className="text-lead font-semibold">
        {title} ({names.length})
      </h2>
      <p className="text-quiet">{names.length > 0 ? children : none}</p>
      <ul className="grid justify-items-start gap-1.5">
        {names.map(({ id, name }) => (
          <li key={id} className="max-w-full">
            {name === id ? (
              <CopyText text={name} label={t('Copy {name}', { name })} />
            ) : (
              <details>
                <summary className="w-fit rounded-sm font-medium" title={id}>
                  {name}{' '}
                  <span className="text-meta font-normal text-quiet underline underline-offset-4">
                    {t('Id')}
                  </span>
                </summary>
                <div className="mt-1">
                  <CopyText text={id} label={t('Copy the id of {name}', { name })} />
                </div>
              </details>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What one may do in the registry, permission by permission. */
function Permissions({ me }: { me: Me }) {
  const held = Object.entries(me.ui_permissions).filter(([, names]) => names.length > 0);
  if (held.length === 0) return null;
  return (
    <section aria-label={t('Permissions')} className="grid gap-2">
      <h2 className="text-lead font-semibold">{t('What you can do in the registry')}</h2>
      <table className="w-full table-fixed text-left">
        <caption className="sr-only">{t('Permissions, and on what')}</caption>
        <thead className="text-meta text-quiet">
          <tr className="border-b border-line">
            <th scope="col" className="w-2/5 py-1 pr-3 font-medium">
              {t('Permission')}
            </th>
            <th scope="col" className="py-1 font-medium">
              {t('On')}
            </th>
          </tr>
        </thead>
        <tbody>
          {held.map(([permission, names]) => (
            <tr key={permission} className="border-b border-line align-top last:border-0">
              <th scope="row" className="py-1.5 pr-3 font-normal">
                {permissionWords(permission)}{' '}
                <code className="font-mono text-meta text-quiet">{permission}</code>
              </th>
              <td className="py-1.5">{names.includes('all') ? t('All') : names.join(', ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
