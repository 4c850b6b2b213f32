import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { type Me, meQuery } from '../api.ts';
import { Button } from '../controls/button.tsx';
import { CopyButton, CopyText } from '../controls/copy.tsx';
import { Page } from '../controls/page.tsx';
import { SignOut } from '../controls/sign-out.tsx';
import { announce } from '../controls/toasts.tsx';
import { useMyGroups } from '../mine/my-groups.ts';
import { AskAccessButton } from '../requests/ask-access.tsx';
import { RequestRow } from '../requests/request-row.tsx';
import { Requestable } from '../requests/requestable.tsx';
import { requestableQuery, requestsQuery } from '../requests/requests-query.ts';
import { parts, t } from '../words/words.ts';

/** The page for somebody who has signed in, but whose groups give no scope: why, and what to ask of whom. */
export function NoAccess() {
  const { data: me } = useQuery(meQuery);
  return me ? <Known me={me} /> : null;
}

function Known({ me }: { me: Me }) {
  const named = useMyGroups(me);
  const groups = me.groups.length;
  return (
    <div className="mx-auto max-w-2xl">
      <Page title={t('You have no access yet')}>
        <section className="grid gap-3">
          <p>
            {parts('You are signed in as {who}.', {
              who: (
                <>
                  <strong className="font-semibold">{me.username}</strong>
                  {me.name !== null && me.name !== me.username && ` (${me.name})`}
                </>
              ),
            })}{' '}
            {whyOf(groups)}{' '}
            {t('What you can see and do here comes from your groups, and from what you ask for.')}
          </p>
          {groups > 0 && (
            <ul aria-label={t('Your groups')} className="grid justify-items-start gap-1.5">
              {named.map(({ id, name }) => (
                <li key={id} className="flex max-w-full flex-wrap items-center gap-x-2">
                  {name !== id && <span className="font-medium">{name}</span>}
                  <CopyText text={id} label={t('Copy group {group}', { group: name })} />
                </li>
              ))}
            </ul>
          )}
        </section>
        <HowToAsk me={me} />
        <section className="mt-8 grid gap-3">
          <h2 className="text-lead font-semibold">{t('When it is done')}</h2>
          <p>
            {t('Membership in a group is read when you sign in, so sign out and in again.')}
            {groups > 0 && ` ${t('If one of your groups was mapped instead, trying again is enough.')}`}
          </p>
          <div className="flex gap-2">
            <TryAgain />
            <SignOut />
          </div>
        </section>
      </Page>
    </div>
  );
}

/** How to get in: by a request to the gateway, or by a message where it takes none. */
function HowToAsk({ me }: { me: Me }) {
  const { data: taken } = useQuery(requestableQuery());
  const { data: mine } = useQuery(requestsQuery('mine'));
  if (!taken) return null;
  return (
    <section className="mt-8 grid justify-items-start gap-3">
      <h2 className="text-lead font-semibold">{t('What to ask for')}</h2>
      {taken.enabled ? (
        <>
          <p>
            {t(
              'Ask for the server that you need: its owner or an administrator decides, and you can use it from then on.',
            )}
          </p>
          <AskAccessButton look="primary" />
          {mine && mine.requests.length > 0 && (
            <ul
              aria-label={t('My requests')}
              className="w-full overflow-hidden rounded-lg border border-line bg-raised"
            >
              {mine.requests.slice(0, 10).map((request) => (
                <RequestRow key={request.id} request={request} name={undefined} isMine />
              ))}
            </ul>
          )}
          <div className="w-full">
            <Requestable />
          </div>
          <details className="w-full">
            <summary className="w-fit rounded-sm underline underline-offset-4">
              {t('Or ask to be added to a group')}
            </summary>
            <div className="mt-3 grid justify-items-start gap-3">
              <MessageToSend me={me} />
            </div>
          </details>
        </>
      ) : (
        <MessageToSend me={me} />
      )}
    </section>
  );
}

function MessageToSend({ me }: { me: Me }) {
  return (
    <>
      <p>
        {t(
          me.groups.length > 0
            ? 'Ask an administrator of this gateway to add your account to a group that is mapped to a scope, or to map one of the groups above in scopes.yml.'
            : 'Ask an administrator of this gateway to add your account to a group that is mapped to a scope.',
        )}{' '}
        {t('Here is a message to send:')}
      </p>
      <blockquote className="w-full rounded-md border border-line bg-raised p-3 break-words whitespace-pre-line">
        {requestOf(me)}
      </blockquote>
      <CopyButton text={requestOf(me)} label={t('Copy message')} />
    </>
  );
}

function TryAgain() {
  const queries = useQueryClient();
  const router = useRouter();
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    await queries.refetchQueries({ queryKey: meQuery.queryKey });
    await router.invalidate();
    setBusy(false);
    if (router.state.location.pathname === '/no-access') announce('done', t('Still no access.'));
  };
  return (
    <Button look="primary" busy={busy} onClick={() => void start()}>
      {t('Try again')}
    </Button>
  );
}

function whyOf(count: number): string {
  if (count === 0) return t('The identity provider reported no groups for this account.');
  if (count === 1) return t('The one group of this account is not mapped to any scope.');
  return t('None of the {count} groups of this account is mapped to a scope.', { count });
}

function requestOf(me: Me): string {
  const groups = me.groups.length > 0 ? me.groups.join(', ') : t('none');
  return t(
    'Please give {username} access to the MCP gateway at {origin}: add the account to a group that is mapped to a scope.\nGroups of the account today: {groups}',
    { username: me.username, origin: location.origin, groups },
  );
}
