import type { Fetch } from '../net/outbound.ts';
import type { Pause } from '../provider/retry.ts';

/**
 * What a provider's admin API can do here, whatever the provider: users, groups, memberships, accounts of applications.
 * Things are named by the directory's own stable id; names are only for finding the id. What a directory (or the
 * permissions that were consented to) cannot do is an absent member or a false capability, never a method that throws
 * "not implemented". Failures: `not_found`, `conflict` (taken, or several of one name: the message lists the candidates),
 * `directory_denied`, `directory_refused`, `directory_unavailable`.
 */
export interface Directory {
  /** The provider's name, such as `entra`. */
  readonly provider: string;
  /** What may be done with the permissions that the gateway has at this moment. */
  capabilities(): Promise<Capabilities>;
  readonly users: Users;
  readonly groups: Groups;
  readonly memberships: Memberships;
  /** Absent where a directory has no accounts for applications. */
  readonly serviceAccounts?: ServiceAccounts;
}

/** What a directory is made of besides its settings. */
export interface DirectoryWorld {
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly pause: Pause;
  readonly newId: () => string;
}

/** What the gateway is allowed to do in the directory. */
export interface Capabilities {
  readonly readUsers: boolean;
  readonly writeUsers: boolean;
  readonly readGroups: boolean;
  readonly writeGroups: boolean;
  readonly writeMemberships: boolean;
  readonly writeServiceAccounts: boolean;
  /** Whether service accounts can be put into groups. */
  readonly writeServiceMemberships: boolean;
  /** Whether service accounts can be given the gateway's app role. */
  readonly assignRoles: boolean;
  /** The permissions that are missing for what is false, for messages and the doctor. */
  readonly missing: readonly string[];
}

/** A person's account. */
export interface DirectoryUser {
  readonly id: string;
  /** For Entra the user principal name. */
  readonly username: string;
  readonly email: string | null;
  readonly displayName: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly enabled: boolean;
}

/** A group that can give access. */
export interface DirectoryGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  /** What tokens call it, and so what scopes map: the id for Entra, the name or path for others. */
  readonly mapping: string;
  /** False for groups whose members are computed or come from elsewhere (dynamic, synchronised). */
  readonly editable: boolean;
}

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; asks for the next page. Null at the end. */
  readonly next: string | null;
  /** Of the whole list; null where the directory does not say. */
  readonly total: number | null;
}

/** What a list is asked for. */
export interface Asked {
  /** Beginning of a name; taken literally. */
  readonly search?: string | undefined;
  readonly limit: number;
  readonly from?: string | null | undefined;
}

/** People's accounts. */
export interface Users {
  list(asked: Asked): Promise<Page<DirectoryUser>>;
  /** By id, user name or e-mail address; undefined when there is none. */
  find(idOrName: string): Promise<DirectoryUser | undefined>;
  create?(user: NewUser): Promise<DirectoryUser>;
  /** True when it was there; one that is new is waited for until the directory knows it everywhere. */
  remove?(id: string, options?: { readonly isNew?: boolean }): Promise<boolean>;
}

/** A person's account to be made. */
export interface NewUser {
  /** Without a domain the directory's default one is added. */
  readonly username: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly password: string;
  readonly mustChangePassword: boolean;
}

/** Groups. */
export interface Groups {
  list(asked: Asked): Promise<Page<DirectoryGroup>>;
  /** By id, mapping or exact name; undefined when there is none, `conflict` when several have the name. */
  find(idOrName: string): Promise<DirectoryGroup | undefined>;
  create?(group: { readonly name: string; readonly description: string }): Promise<DirectoryGroup>;
  update?(id: string, change: { readonly description: string }): Promise<void>;
  remove?(id: string): Promise<void>;
  /** Groups that are deleted with it, however deep; absent where a group goes alone. */
  within?(id: string): Promise<readonly DirectoryGroup[]>;
}

/** Who is in which group; members are users and service principals, by id. */
export interface Memberships {
  /** The groups of each user that it is in directly, in the order asked, undefined where they could not be read; few round trips. */
  ofUsers(ids: readonly string[]): Promise<readonly (readonly DirectoryGroup[] | undefined)[]>;
  ofServiceAccount?(principalId: string): Promise<readonly DirectoryGroup[]>;
  /** People with an enabled account who are in a group, directly or through others, up to `limit`: their ids. */
  people(groupId: string, limit: number): Promise<readonly string[]>;
  /** True when it was not a member before. */
  add?(groupId: string, memberId: string): Promise<boolean>;
  /** True when it was a member before. */
  remove?(groupId: string, memberId: string): Promise<boolean>;
}

/** An application's account: what a token request proves itself with. */
export interface ServiceAccount {
  /** The id of the registration (Entra: the application's object id). */
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
  readonly description: string | null;
  /** What is a member of groups (Entra: the service principal's object id); null until it exists. */
  readonly principalId: string | null;
  readonly enabled: boolean;
}

/** A secret as it is shown once. */
export interface NewSecret {
  readonly keyId: string;
  readonly secret: string;
  /** ISO 8601 in UTC; null where the directory's secrets have no end. */
  readonly expiresAt: string | null;
}

/**
 * Accounts of applications, each step on its own, so that a job can stop and go on between any two. Every step may be
 * repeated: what is there already is found again by `marker`, never made twice.
 */
export interface ServiceAccounts {
  list(asked: Asked): Promise<Page<ServiceAccount>>;
  /** By id, client id, principal id or exact name. */
  find(idOrName: string): Promise<ServiceAccount | undefined>;
  create?(account: {
    readonly name: string;
    readonly description: string;
    readonly marker: string;
  }): Promise<ServiceAccount>;
  /** What `create` made with that marker, also when its answer was lost. */
  made?(marker: string): Promise<ServiceAccount | undefined>;
  /** Makes what is a member of groups and gets tokens; waits out replication. */
  enable?(account: ServiceAccount): Promise<ServiceAccount & { readonly principalId: string }>;
  /** A secret of the same label takes the place of the one before: who asked twice has only the last. */
  addSecret?(id: string, secret: { readonly label: string; readonly days: number }): Promise<NewSecret>;
  secrets?(
    id: string,
  ): Promise<readonly { readonly keyId: string; readonly label: string; readonly expiresAt: string }[]>;
  removeSecret?(id: string, keyId: string): Promise<void>;
  /** Lets it call the gateway (Entra: the app role `Gateway.Invoke`); false when the gateway's registration has no such role. */
  permit?(principalId: string): Promise<boolean>;
  /** Asks for a token as the account would, until the directory knows it everywhere; throws why it does not get one. */
  verify?(clientId: string, secret: string): Promise<void>;
  /** Removes registration and principal for good. */
  remove?(id: string): Promise<void>;
}
