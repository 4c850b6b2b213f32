import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronDown } from 'lucide-react';
import { useId, useRef, useState } from 'react';
import { type Me, providersQuery, versionQuery } from '../api.ts';
import { SignOut } from '../controls/sign-out.tsx';
import { accessWords } from '../mine/access-words.ts';
import { useMyGroups } from '../mine/my-groups.ts';
import { chooseLanguage, type Language, language, languages, t } from '../words/words.ts';
import { ThemeChoice } from './theme-choice.tsx';

const ownPages = [
  ['/me', t('My access')],
  ['/sessions', t('Your sessions')],
] as const;

/** The account button and what it opens: who is signed in, access, groups, scopes, theme, sign out. */
export function UserMenu({ me }: { me: Me }) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const groups = useMyGroups(me, open);
  const { data: version } = useQuery({ ...versionQuery, enabled: open });
  const { data: offered } = useQuery({ ...providersQuery, enabled: open });
  const provider = offered?.providers.find(({ name }) => name === me.provider)?.display_name ?? me.provider;
  const name = me.name ?? me.username;
  return (
    <>
      <button
        type="button"
        popoverTarget={id}
        aria-haspopup="dialog"
        aria-expanded={open}
        className="flex h-8 items-center gap-2 rounded-md pr-1.5 pl-1 hover:bg-hover"
      >
        <span
          aria-hidden
          className="grid size-6 place-items-center rounded-full bg-accent-soft text-meta font-semibold text-accent"
        >
          {name.slice(0, 1).toUpperCase()}
        </span>
        <span className="max-w-40 truncate max-xl:sr-only">{name}</span>
        <span className="sr-only">{t(': account')}</span>
        <span className="rounded-sm bg-hover px-1.5 py-0.5 text-meta text-quiet max-md:sr-only">
          {accessWords(me)}
        </span>
        <ChevronDown size={14} aria-hidden className="text-quiet" />
      </button>
      <div
        ref={popover}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={t('Account')}
        onToggle={(event) => setOpen(event.newState === 'open')}
        className="fixed top-13 right-3 left-auto m-0 max-h-[calc(100dvh-5rem)] w-80 max-w-[calc(100vw-2rem)] overflow-y-auto rounded-lg border border-line bg-raised p-4 text-ink shadow-float sm:right-6"
      >
        <p className="font-semibold">{name}</p>
        {me.name !== null && <p className="text-quiet">{me.username}</p>}
        <p className="mt-1 text-meta text-quiet">
          {t('{access}, signed in with {provider}', { access: accessWords(me), provider })}
        </p>
        <Names
          title={t('Scopes')}
          names={me.scopes.map((one) => ({ id: one, name: one }))}
          none={t('No scopes')}
        />
        <Names title={t('Groups')} names={groups} none={t('In no group')} />
        <div className="mt-4 flex items-center justify-between xl:hidden">
          <span>{t('Theme')}</span>
          <ThemeChoice />
        </div>
        <div className="mt-3 flex items-center justify-between">
          <label htmlFor={`${id}-language`}>{t('Language')}</label>
          <select
            id={`${id}-language`}
            value={language}
            onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}
            className="h-8 rounded-md border border-edge bg-raised px-2"
          >
            {Object.entries(languages).map(([value, words]) => (
              <option key={value} value={value} lang={value}>
                {words}
              </option>
            ))}
          </select>
        </div>
        <p className="mt-3 flex gap-4">
          {ownPages.map(([to, words]) => (
            <Link
              key={to}
              to={to}
              onClick={() => popover.current?.hidePopover()}
              className="rounded-sm py-1 underline underline-offset-4"
            >
              {words}
            </Link>
          ))}
        </p>
        <div className="mt-4 flex items-center justify-between border-t border-line pt-3">
          <span className="text-meta text-quiet">
            {version && `${t('Version {version}', { version: version.version })} · `}
            <Link
              to="/docs/api"
              onClick={() => popover.current?.hidePopover()}
              className="rounded-sm underline underline-offset-4"
            >
              {t('API')}
            </Link>
          </span>
          <SignOut />
        </div>
      </div>
    </>
  );
}

function Names({
  title,
  names,
  none,
}: {
  title: string;
  names: readonly { readonly id: string; readonly name: string }[];
  none: string;
}) {
  return (
    <details open={names.length <= 6} className="group mt-3">
      <summary className="flex items-center gap-1 text-meta font-semibold text-quiet">
        <ChevronDown size={12} aria-hidden className="-rotate-90 group-open:rotate-0" />
        {title} ({names.length})
      </summary>
      {names.length === 0 && <p className="pl-4 text-quiet">{none}</p>}
      <ul className="grid gap-0.5 pt-1 pl-4">
        {names.map(({ id, name }) => (
          <li key={id} title={id} className="font-mono text-code">
            {name}
          </li>
        ))}
      </ul>
    </details>
  );
}
