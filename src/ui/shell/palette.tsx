import { useQuery } from '@tanstack/react-query';
import { useNavigate, useRouter } from '@tanstack/react-router';
import { Command } from 'cmdk';
import {
  Bot,
  Inbox,
  KeyRound,
  LogOut,
  type LucideIcon,
  Moon,
  Plus,
  Search,
  Server,
  ShieldPlus,
  Sun,
  Wrench,
} from 'lucide-react';
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { agentsQuery, type Me, serversQuery, signOut } from '../api.ts';
import { saidBy } from '../controls/problem.tsx';
import { mentions } from '../controls/text-match.ts';
import { announce } from '../controls/toasts.tsx';
import { searchQuery } from '../search/search-query.ts';
import { t } from '../words/words.ts';
import { placesOf } from './navigation.ts';
import { chooseTheme } from './theme.ts';

interface Entry {
  readonly key: string;
  readonly icon: LucideIcon;
  readonly words: string;
  readonly more?: string;
  readonly run: () => void;
}

/** Jumps to anything: pages, actions, servers and agents; opened with Ctrl-K, closed with Escape. */
export function Palette({ me, onClose, onMint }: { me: Me; onClose: () => void; onMint: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState('');
  const groups = useEntries(me, text, onClose, onMint);
  // What was chosen may be gone from the list, which comes after the words: then the first is, so that Enter goes there.
  const keys = groups.flatMap(({ entries }) => entries.map(({ key }) => key));
  const current = keys.includes(chosen) ? chosen : (keys[0] ?? '');
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // A dialog gives the focus to whatever in it can have it first, which is not the field.
    element?.querySelector('input')?.focus();
    return () => element?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside it closes it, and Escape does too
    <dialog
      ref={dialog}
      aria-label={t('Search or jump to')}
      onClose={(event) => !event.currentTarget.open && onClose()}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      className="mx-auto mt-[12vh] mb-auto w-full max-w-xl overflow-hidden rounded-lg border border-line bg-raised text-ink shadow-float max-sm:mt-2 max-sm:max-w-[calc(100vw-1rem)]"
    >
      <Command
        label={t('Search or jump to')}
        value={current}
        onValueChange={setChosen}
        shouldFilter={false}
        loop
      >
        <div className="flex items-center gap-2.5 border-b border-line px-4">
          <Search size={16} aria-hidden className="shrink-0 text-quiet" />
          <Command.Input
            value={text}
            onValueChange={(words) => {
              setText(words);
              setChosen('');
            }}
            placeholder={t('Servers, tools, agents, pages, actions')}
            className="h-12 w-full bg-transparent text-lead outline-none placeholder:text-quiet"
          />
          <kbd
            aria-hidden
            className="shrink-0 rounded-sm border border-line px-1.5 font-sans text-meta whitespace-nowrap text-quiet"
          >
            Esc
          </kbd>
        </div>
        <Command.List className="max-h-[min(26rem,60vh)] overflow-y-auto overscroll-contain p-2">
          <Command.Empty className="px-3 py-8 text-center text-quiet">
            {t('Nothing found for “{text}”.', { text })}
          </Command.Empty>
          {groups.map(({ heading, entries }) =>
            entries.length === 0 ? null : (
              <Command.Group
                key={heading}
                heading={heading}
                className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-meta [&_[cmdk-group-heading]]:text-quiet"
              >
                {entries.map((entry) => (
                  <Item key={entry.key} entry={entry} />
                ))}
              </Command.Group>
            ),
          )}
        </Command.List>
      </Command>
    </dialog>
  );
}

function Item({ entry: { key, icon: Icon, words, more, run } }: { entry: Entry }): ReactNode {
  return (
    <Command.Item
      value={key}
      onSelect={run}
      className="flex min-h-9 cursor-pointer items-center gap-3 rounded-md px-2.5 py-1.5 aria-selected:bg-chosen"
    >
      <Icon size={15} aria-hidden className="shrink-0 text-quiet" />
      <span className="shrink-0 max-w-[60%] truncate font-medium">{words}</span>
      {more !== undefined && <span className="min-w-0 truncate text-meta text-quiet">{more}</span>}
    </Command.Item>
  );
}

function useEntries(me: Me, text: string, onClose: () => void, onMint: () => void) {
  const navigate = useNavigate();
  const router = useRouter();
  const { data: servers } = useQuery(serversQuery);
  const { data: agents } = useQuery(agentsQuery);
  const wanted = useDeferredValue(text);
  const { data: found } = useQuery(searchQuery(wanted, 'tool,virtual_server', 12));
  return useMemo(() => {
    const go = (href: string) => () => {
      onClose();
      void navigate({ href });
    };
    const asked = text.trim();
    const among = (entries: readonly Entry[], most: number) =>
      entries.filter(({ words, more = '' }) => mentions(asked, [words, more], [])).slice(0, most);
    const pages: Entry[] = placesOf(me).flatMap(({ words: group, places }) =>
      places.map(({ to, words, icon }) => ({
        ...{ key: `page ${to}`, icon, words, run: go(to) },
        ...(group === null ? {} : { more: group }),
      })),
    );
    const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
    const shownDark = (document.documentElement.dataset.theme ?? (isDark ? 'dark' : 'light')) === 'dark';
    const actions: Entry[] = [
      ...((me.ui_permissions.register_service?.length ?? 0) > 0
        ? [{ key: 'act register', icon: Plus, words: t('Register a server'), run: go('/register') }]
        : []),
      ...((me.ui_permissions.publish_agent?.length ?? 0) > 0
        ? [
            {
              key: 'act agent',
              icon: Plus,
              words: t('Register an agent'),
              run: go('/register-agent'),
            },
          ]
        : []),
      { key: 'act ask', icon: Inbox, words: t('Request access'), run: go('/requests?ask=') },
      { key: 'act token', icon: KeyRound, words: t('Create a token'), run: onMint },
      ...(me.is_admin
        ? [{ key: 'act scope', icon: ShieldPlus, words: t('Create a scope'), run: go('/access/new') }]
        : []),
      {
        key: 'act theme',
        icon: shownDark ? Sun : Moon,
        words: shownDark ? t('Switch to the light theme') : t('Switch to the dark theme'),
        run: () => {
          chooseTheme(shownDark ? 'light' : 'dark');
          onClose();
        },
      },
      {
        ...{ key: 'act out', icon: LogOut, words: t('Sign out') },
        run: () => void signOut().catch((error: unknown) => announce('failed', saidBy(error).detail)),
      },
    ];
    return [
      {
        heading: t('Servers'),
        entries: among(
          (servers?.servers ?? []).map(({ path, server_name, description }) => ({
            ...{
              key: `server ${path}`,
              icon: Server,
              words: server_name,
              more: `${path} ${description}`,
            },
            run: go(router.buildLocation({ to: '/servers/$', params: { _splat: path.slice(1) } }).href),
          })),
          asked === '' ? 4 : 8,
        ),
      },
      {
        heading: t('Agents'),
        entries:
          asked === ''
            ? []
            : among(
                (agents?.agents ?? []).map(({ path, name, description }) => ({
                  ...{
                    key: `agent ${path}`,
                    icon: Bot,
                    words: name,
                    more: `${path} ${description}`,
                  },
                  run: go(router.buildLocation({ to: '/agents/$', params: { _splat: path.slice(1) } }).href),
                })),
                5,
              ),
      },
      {
        heading: t('Tools'),
        entries:
          asked === ''
            ? []
            : (found?.results ?? [])
                .filter(({ kind }) => kind === 'tool')
                .slice(0, 8)
                .map(({ path, name, description, server_name }) => ({
                  ...{ key: `tool ${path} ${name}`, icon: Wrench, words: name },
                  more: `${server_name ?? path} · ${description}`,
                  run: go(
                    router.buildLocation({
                      to: '/servers/$',
                      params: { _splat: path.slice(1) },
                      search: { tab: 'tools', tool: name },
                    }).href,
                  ),
                })),
      },
      { heading: t('Pages'), entries: among(pages, 20) },
      { heading: t('Actions'), entries: among(actions, 10) },
    ];
  }, [me, text, servers, agents, found, navigate, router, onClose, onMint]);
}
