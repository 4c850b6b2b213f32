import { randomUUID } from 'node:crypto';
import { instant } from '../../clock.ts';
import { isRecord, type Reply } from '../../exchange.ts';
import { directContainers, findUser, place } from '../../tenant/directory.ts';
import { hashSecret, isStrong } from '../../tenant/identify.ts';
import { makeUser } from '../../tenant/make.ts';
import type { Tenant, User } from '../../tenant/model.ts';
import type { World } from '../../world.ts';
import { bodyOf, type Call, find, noContent, type Operation, requirePermission, textOf } from '../call.ts';
import { readChanges } from '../change.ts';
import { badRequest, type GraphFailure, notFound } from '../failure.ts';
import { entityTypes } from '../schema.ts';
import { base, showList, showOne } from '../show.ts';
import { bin } from './bin.ts';
import { showObjects } from './membership.ts';

const type = entityTypes.user;
const read = { delegated: ['User.Read.All', 'User.ReadBasic.All'], application: ['User.Read.All'] };
const write = { delegated: ['User.ReadWrite.All'], application: ['User.ReadWrite.All'] };
const self = ['User.Read', 'User.Read.All'];

/** Users and invitations. */
export const userOperations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/users',
    ...read,
    run: (call) => showList(call, type, [...call.tenant.users.values()], { expansions: expansions(call) }),
  },
  {
    method: 'GET',
    path: '/users/{user}',
    ...read,
    self,
    run: (call) => showOne(call, type, target(call), { expansions: expansions(call) }),
  },
  { method: 'POST', path: '/users', ...write, run: create },
  { method: 'PATCH', path: '/users/{user}', ...write, run: update },
  { method: 'DELETE', path: '/users/{user}', ...write, run: remove },
  { method: 'POST', path: '/users/{user}/revokeSignInSessions', ...write, run: revokeSessions },
  { method: 'GET', path: '/users/{user}/ownedObjects', ...read, self, run: ownedObjects },
  {
    method: 'POST',
    path: '/invitations',
    delegated: ['User.Invite.All'],
    application: ['User.Invite.All'],
    run: invite,
  },
];

function expansions({ tenant }: Call) {
  return { memberOf: (object: { id: string }) => directContainers(tenant, object.id) };
}

function target(call: Call): User {
  const name = call.names.user ?? '';
  return find(call, call.tenant.users, findUser(call.tenant, name)?.id ?? name);
}

function create(call: Call): Reply {
  const { tenant, world } = call;
  const body = bodyOf(call);
  const changes = readChanges(type, body);
  for (const name of ['displayName', 'mailNickname', 'userPrincipalName']) textOf(body, name);
  if (typeof body.accountEnabled !== 'boolean') throw missing('accountEnabled');
  const profile = body.passwordProfile;
  if (!isRecord(profile) || typeof profile.password !== 'string') throw missing('passwordProfile');
  const name = textOf(body, 'userPrincipalName');
  checkPrincipalName(tenant, name);
  if (findUser(tenant, name)) throw duplicate();
  const { passwordProfile: _profile, ...parts } = changes;
  const user = makeUser(
    { displayName: '', userPrincipalName: name, ...parts, id: randomUUID() },
    instant(world.clock),
  );
  setPassword(call, user, profile);
  place(tenant, user, world.clock.now());
  return showOne(call, type, user, { status: 201, isNew: true });
}

/** The part after the @ must be a domain of the tenant, the part before it of Entra's characters. */
function checkPrincipalName(tenant: Tenant, name: string): void {
  const [, local, domain] = /^([^@]+)@([^@]+)$/.exec(name) ?? [];
  if (!local || !domain || !/^[\w'.\-!#^~]+$/.test(local))
    throw badRequest('Property userPrincipalName is invalid.', [
      {
        code: 'InvalidValue',
        target: 'userPrincipalName',
        message: 'It has characters that are not allowed.',
      },
    ]);
  if (!tenant.domains.some((one) => one.name === domain.toLowerCase()))
    throw badRequest(
      'The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.',
      [{ code: 'InvalidValue', target: 'userPrincipalName', message: `'${domain}' is not verified.` }],
    );
}

/** Sets a password, which ends sessions; the user must change it at the next sign-in unless told otherwise. */
function setPassword({ tenant, world }: Call, user: User, profile: Record<string, unknown>): void {
  const password = String(profile.password);
  if (!isStrong(password))
    throw badRequest(
      'The specified password does not comply with password complexity requirements. Please provide a different password.',
      [{ code: 'PasswordTooWeak', target: 'password', message: 'The password is too weak.' }],
    );
  tenant.passwords.set(user.id, hashSecret(password));
  tenant.revoked.set(user.id, world.clock.now());
  if (profile.forceChangePasswordNextSignIn === false) tenant.mustChangePassword.delete(user.id);
  else tenant.mustChangePassword.add(user.id);
}

function duplicate(): GraphFailure {
  return badRequest('Another object with the same value for property userPrincipalName already exists.', [
    { code: 'ObjectConflict', target: 'userPrincipalName', message: 'The name is taken.' },
  ]);
}

function missing(name: string): GraphFailure {
  return badRequest(`A value is required for property '${name}' of resource 'User'.`, [
    { code: 'MissingValue', target: name, message: `'${name}' is required.` },
  ]);
}

function update(call: Call): Reply {
  const { tenant } = call;
  const user = target(call);
  const { passwordProfile, ...changes } = readChanges(type, bodyOf(call));
  if (typeof changes.userPrincipalName === 'string') {
    checkPrincipalName(tenant, changes.userPrincipalName);
    const other = findUser(tenant, changes.userPrincipalName);
    if (other && other !== user) throw duplicate();
  }
  if (isRecord(passwordProfile) && typeof passwordProfile.password === 'string')
    setPassword(call, user, passwordProfile);
  Object.assign(user, changes);
  if (changes.accountEnabled === false) tenant.revoked.set(user.id, call.world.clock.now());
  return noContent();
}

function remove(call: Call): Reply {
  const user = target(call);
  bin(call.tenant, user, instant(call.world.clock));
  return noContent();
}

function revokeSessions(call: Call): Reply {
  const user = target(call);
  call.tenant.revoked.set(user.id, call.world.clock.now());
  const context = `${base(call.world)}/$metadata#Edm.Boolean`;
  return { status: 200, body: { '@odata.context': context, value: true } };
}

function ownedObjects(call: Call): Reply {
  const owned = call.tenant.owners.to.get(target(call).id) ?? new Set<string>();
  return showObjects(
    call,
    [...owned].flatMap((id) => call.tenant.objects.get(id) ?? []),
  );
}

/** An invitation makes the guest at once; redeeming it is not emulated. */
function invite(call: Call): Reply {
  const { tenant, world } = call;
  requirePermission(call, 'User.Invite.All');
  const body = bodyOf(call);
  const mail = textOf(body, 'invitedUserEmailAddress');
  const redirectUrl = textOf(body, 'inviteRedirectUrl');
  if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(mail)) throw badRequest('The invited email address is not valid.');
  const [first] = tenant.domains;
  if (!first) throw notFound(tenant.id);
  const userPrincipalName = `${mail.replace('@', '_')}#EXT#@${first.name}`;
  if (findUser(tenant, userPrincipalName))
    throw badRequest('The invited user already exists in the directory.');
  const displayName =
    typeof body.invitedUserDisplayName === 'string'
      ? body.invitedUserDisplayName
      : (mail.split('@')[0] ?? mail);
  const guest = makeUser(
    {
      displayName,
      userPrincipalName,
      mail,
      userType: body.invitedUserType === 'Member' ? 'Member' : 'Guest',
      creationType: 'Invitation',
      externalUserState: 'PendingAcceptance',
    },
    instant(world.clock),
  );
  place(tenant, guest, world.clock.now());
  return showInvitation(world, guest, {
    mail,
    redirectUrl,
    isMessageSent: body.sendInvitationMessage === true,
  });
}

function showInvitation(
  world: World,
  guest: User,
  sent: { mail: string; redirectUrl: string; isMessageSent: boolean },
): Reply {
  return {
    status: 201,
    body: {
      '@odata.context': `${base(world)}/$metadata#invitations/$entity`,
      id: randomUUID(),
      inviteRedeemUrl: `${world.origin}/redeem?rd=${encodeURIComponent(sent.redirectUrl)}&user=${guest.id}`,
      invitedUserDisplayName: guest.displayName,
      invitedUserEmailAddress: sent.mail,
      invitedUserType: guest.userType,
      sendInvitationMessage: sent.isMessageSent,
      inviteRedirectUrl: sent.redirectUrl,
      status: 'PendingAcceptance',
      invitedUser: { id: guest.id },
    },
  };
}
