import type { Diagnosis } from './doctor.ts';

/** What setup would change or has changed: a step with a line for each change. */
export type Plan = { id: string; title: string; changes: string[] }[];

/** How setup is called. */
export interface SetupOptions {
  /** Show what would be done, and do nothing. */
  readonly plan?: boolean | undefined;
  /** Take back what setup made. */
  readonly remove?: boolean | undefined;
  /** The same as commands or as configuration, for those who do it another way; nobody signs in. */
  readonly print?: 'az' | 'terraform' | undefined;
  /** Tenant GUID or domain; that of the administrator who signs in, unless given. */
  readonly tenant?: string | undefined;
  /** The public client to sign in with; Microsoft's own for Graph, unless given. */
  readonly clientId?: string | undefined;
  readonly name?: string | undefined;
  readonly url?: string | undefined;
  readonly redirectUri?: readonly string[] | undefined;
  readonly role?: readonly string[] | undefined;
  readonly user?: readonly string[] | undefined;
  readonly secretDays?: number | undefined;
  /** A PEM file with a certificate to register instead of making a secret. */
  readonly certificate?: string | undefined;
  /** The PEM file of its private key, where that is not in the same file. */
  readonly certificateKey?: string | undefined;
  /** Purge what an earlier setup made and somebody has deleted, instead of restoring it. */
  readonly purgeDeleted?: boolean | undefined;
  /** Address of the Keycloak server; without it, that of the settings. */
  readonly serverUrl?: string | undefined;
  readonly realm?: string | undefined;
  /** The realm in which the administrator, person or client, has its account; `master` unless given. */
  readonly loginRealm?: string | undefined;
  /** The administrator's user name. */
  readonly username?: string | undefined;
  /** People, by user name, for the group of administrators. */
  readonly admin?: readonly string[] | undefined;
  /** Make no client with which the gateway manages accounts. */
  readonly signInOnly?: boolean | undefined;
}

/** The options that only one provider has a meaning for. */
export const setupOptionsOf = {
  entra: [
    'print',
    'tenant',
    'clientId',
    'redirectUri',
    'secretDays',
    'certificate',
    'certificateKey',
    'purgeDeleted',
  ],
  keycloak: ['serverUrl', 'realm', 'loginRealm', 'username', 'admin', 'signInOnly'],
} as const satisfies Record<string, readonly (keyof SetupOptions)[]>;

/** A provider that can be set up. */
export type SetupProvider = keyof typeof setupOptionsOf;

/** What setup says and asks on its way. */
export interface SetupTalk {
  say(text: string): void;
  /** Asks for a line of text; a secret is not shown while it is typed. Rejects when there is nobody to ask. */
  ask(question: string, options?: { isSecret?: boolean }): Promise<string>;
  /** Shows what is about to happen; false stops before anything is changed. */
  agree(heading: string, lines: readonly string[]): Promise<boolean>;
}

/** What came of it. */
export interface SetupResult {
  readonly plan: Plan;
  readonly done: boolean;
  /** What is gone, with `remove`. */
  readonly removed?: readonly string[];
  /** What was asked for with `print`. */
  readonly printed?: string;
  /** The doctor's verdict after setup. */
  readonly diagnosis?: Diagnosis;
}
