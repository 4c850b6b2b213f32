import type { GroupRole } from '../../setup/roles.ts';
import { logoutPath } from '../needs.ts';

/** A group that setup makes. */
export interface GroupWish {
  readonly role: GroupRole;
  readonly displayName: string;
  readonly description: string;
  /** The key by which it is found again, whatever it is called by then. */
  readonly uniqueName: string;
}

/** The certificate that takes the place of a client secret. */
export interface ChosenCertificate {
  /** PEM files as somebody named them, relative to the gateway's directory; the key may be in the first one. */
  readonly path: string;
  readonly keyPath: string | undefined;
}

/** What the directory shall look like. */
export interface Wish {
  readonly displayName: string;
  /** The key by which the registration is found again, also after a crash. */
  readonly uniqueName: string;
  /** Marks what setup made. */
  readonly tag: string;
  readonly redirectUris: readonly string[];
  readonly groups: readonly GroupWish[];
  /** User names that become members of the users' group. */
  readonly users: readonly string[];
  /** Days that a client secret is valid for. */
  readonly secretDays: number;
  /** The secret's name: of this machine and folder, so that an orphan of a crashed run can be told from those in use. */
  readonly secretName: string;
  /** Takes the place of the secret. */
  readonly certificate?: ChosenCertificate | undefined;
  /** Whether what was deleted is purged and made anew instead of restored. */
  readonly purgesDeleted: boolean;
  /** Where the provider tells of a sign-out elsewhere; none where it could not reach it. */
  readonly logoutUrl?: string | undefined;
  /** Settings that are known beforehand, such as REGISTRY_URL. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What somebody can choose; the rest follows. */
export interface WishOptions {
  readonly name?: string | undefined;
  readonly registryUrl: string;
  readonly redirectUris?: readonly string[] | undefined;
  readonly roles?: readonly GroupRole[] | undefined;
  readonly users?: readonly string[] | undefined;
  readonly secretDays?: number | undefined;
  readonly certificate?: ChosenCertificate | undefined;
  readonly purgeDeleted?: boolean | undefined;
  /** Something that tells this machine and folder from others. */
  readonly place: string;
  readonly settings?: Readonly<Record<string, string>>;
}

const words: Record<GroupRole, string> = {
  admin: 'administrators',
  user: 'users',
  developer: 'developers',
  operator: 'operators',
};

/** The whole wish for what somebody chose. */
export function wishOf(options: WishOptions): Wish {
  const { name = 'mcp-gateway-web', registryUrl, roles = ['admin', 'user'], place } = options;
  const prefix = name.replace(/-web$/, '');
  return {
    displayName: name,
    uniqueName: name,
    tag: `setup:${name}`,
    redirectUris: options.redirectUris?.length
      ? options.redirectUris
      : [`${registryUrl}/oauth2/callback/entra`],
    groups: roles.map((role) => ({
      role,
      displayName: `${prefix}-${words[role]}`,
      description: `MCP Gateway ${words[role]}`,
      uniqueName: `${name}-${words[role]}`,
    })),
    users: options.users ?? [],
    secretDays: options.secretDays ?? 180,
    secretName: `mcp-gateway-auth ${place}`,
    certificate: options.certificate,
    purgesDeleted: options.purgeDeleted ?? false,
    // Browsers load it in a frame of Microsoft's page, which takes https only.
    logoutUrl: registryUrl.startsWith('https:') ? `${registryUrl}${logoutPath}` : undefined,
    settings: { AUTH_PROVIDER: 'entra', REGISTRY_URL: registryUrl, ...options.settings },
  };
}
