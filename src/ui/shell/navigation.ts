import {
  Activity,
  AppWindow,
  Bot,
  Boxes,
  ChartColumn,
  CircleUser,
  Fingerprint,
  House,
  Inbox,
  KeyRound,
  type LucideIcon,
  MonitorSmartphone,
  Plug,
  ScrollText,
  Server,
  ShieldCheck,
  Users,
  Wrench,
} from 'lucide-react';
import type { Me } from '../api.ts';
import { readsAudit } from '../audit/audit-search.ts';
import { t } from '../words/words.ts';

/** A page that the navigation leads to. */
export interface Place {
  readonly to: string;
  readonly words: string;
  readonly icon: LucideIcon;
  /** Beginnings of the paths of other pages that belong to it. */
  readonly also?: readonly string[];
  readonly sees: (me: Me) => boolean;
}

/** Pages that belong together, under a heading of their own. */
export interface PlaceGroup {
  readonly words: string | null;
  readonly places: readonly Place[];
}

const everybody = (): boolean => true;
const administrators = (me: Me): boolean => me.is_admin;

/** Every page that the navigation leads to, in its order. */
const navigation: readonly PlaceGroup[] = [
  { words: null, places: [{ to: '/', words: t('Home'), icon: House, sees: everybody }] },
  {
    words: t('Catalog'),
    places: [
      { to: '/servers', words: t('Servers'), icon: Server, also: ['/register', '/edit/'], sees: everybody },
      { to: '/tools', words: t('Tools'), icon: Wrench, sees: everybody },
      { to: '/virtual-servers', words: t('Virtual servers'), icon: Boxes, sees: everybody },
      {
        to: '/agents',
        words: t('Agents'),
        icon: Bot,
        also: ['/register-agent', '/edit-agent/'],
        sees: seesAgents,
      },
    ],
  },
  {
    words: t('Mine'),
    places: [
      { to: '/clients', words: t('Connected clients'), icon: AppWindow, sees: everybody },
      { to: '/requests', words: t('Requests'), icon: Inbox, sees: everybody },
      { to: '/connections', words: t('Connections'), icon: Plug, sees: everybody },
      { to: '/tokens', words: t('Tokens'), icon: KeyRound, sees: everybody },
      { to: '/sessions', words: t('Sessions'), icon: MonitorSmartphone, sees: everybody },
      { to: '/me', words: t('My access'), icon: CircleUser, sees: everybody },
    ],
  },
  {
    words: t('Administration'),
    places: [
      { to: '/accounts', words: t('Accounts'), icon: Users, sees: administrators },
      {
        to: '/access',
        words: t('Access'),
        icon: ShieldCheck,
        sees: administrators,
      },
      { to: '/oauth-clients', words: t('Clients'), icon: Fingerprint, sees: administrators },
      { to: '/audit', words: t('Audit'), icon: ScrollText, sees: readsAudit },
      { to: '/usage', words: t('Usage'), icon: ChartColumn, sees: readsAudit },
      { to: '/operations', words: t('System'), icon: Activity, sees: administrators },
    ],
  },
];

/** The groups with what `me` can see of them; none is empty. */
export function placesOf(me: Me): readonly PlaceGroup[] {
  return navigation
    .map(({ words, places }) => ({ words, places: places.filter(({ sees }) => sees(me)) }))
    .filter(({ places }) => places.length > 0);
}

/** The place that a path belongs to, with the heading of its group. */
export function placeAt(pathname: string): { place: Place; group: string | null } | undefined {
  let found: { place: Place; group: string | null; length: number } | undefined;
  for (const { words, places } of navigation)
    for (const place of places) {
      const length = Math.max(
        ...[place.to, ...(place.also ?? [])].map((one) => lengthOfMatch(one, pathname)),
      );
      if (length > (found?.length ?? 0)) found = { place, group: words, length };
    }
  return found;
}

function lengthOfMatch(beginning: string, pathname: string): number {
  if (beginning === '/') return pathname === '/' ? 1 : 0;
  const bare = beginning.replace(/\/$/, '');
  return pathname === bare || pathname.startsWith(`${bare}/`) ? bare.length : 0;
}

/** Whether there can be anything on the page of agents for somebody. */
function seesAgents({ ui_permissions: { list_agents = [], publish_agent = [] } }: Me): boolean {
  return list_agents.length + publish_agent.length > 0;
}
