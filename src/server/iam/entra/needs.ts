/** What people consent to at sign-in; `openid` comes with the others in the portal. */
export const delegatedPermissions = ['openid', 'profile', 'email', 'offline_access', 'User.Read'] as const;

/** What the gateway reads as itself: groups beyond those in a token, and its own registration for the doctor. */
export const applicationPermissions = ['Directory.Read.All'] as const;

/** Narrower permissions that do for groups; the doctor then cannot see the consent of people. */
export const narrowPermissions = ['User.Read.All', 'GroupMember.Read.All', 'Application.Read.All'] as const;

/** Optional claims by token; `groups` come by groupMembershipClaims, `preferred_username` with every v2.0 ID token. */
export const optionalClaims = {
  idToken: ['email', 'login_hint', 'sid'],
  accessToken: ['email', 'idtyp'],
} as const;

/** Where the gateway hears of a sign-out elsewhere (front-channel logout), below its public URL. */
export const logoutPath = '/oauth2/frontchannel-logout/entra';
