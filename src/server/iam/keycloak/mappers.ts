import { z } from 'zod';

/** A protocol mapper, which puts something into tokens. */
export const mapper = z.looseObject({
  name: z.string(),
  protocol: z.string().nullish(),
  protocolMapper: z.string(),
  config: z.record(z.string(), z.string().nullish()).nullish(),
});

/** A protocol mapper. */
export type Mapper = z.output<typeof mapper>;

/** A client scope: mappers that clients can be given together. */
export const clientScope = z.looseObject({
  id: z.string(),
  name: z.string(),
  protocolMappers: z.array(mapper).nullish(),
  attributes: z.record(z.string(), z.string().nullish()).nullish(),
});

/** Whether it lists the groups of an account. */
export function isGroups({ protocolMapper }: Mapper): boolean {
  return protocolMapper === 'oidc-group-membership-mapper';
}

/** Whether it names an audience. */
export function isAudience({ protocolMapper }: Mapper): boolean {
  return protocolMapper === 'oidc-audience-mapper';
}

/** Whether it names this audience in access tokens. */
export function namesAudience(one: Mapper, audience: string): boolean {
  const { config } = one;
  const named = [config?.['included.client.audience'], config?.['included.custom.audience']];
  return isAudience(one) && named.includes(audience) && config?.['access.token.claim'] !== 'false';
}

/** Whether it lists the groups in this claim, in ID and access tokens. */
export function namesGroups(one: Mapper, claim: string): boolean {
  const { config } = one;
  const isEverywhere = [config?.['id.token.claim'], config?.['access.token.claim']].every(
    (each) => each === 'true',
  );
  return isGroups(one) && config?.['claim.name'] === escaped(claim) && isEverywhere;
}

/** Keycloak takes a dot for a step into an object. */
function escaped(claim: string): string {
  return claim.replaceAll('.', '\\.');
}

/** A mapper that names the gateway in `aud`. */
export function audienceMapper({ clientId, audience }: { clientId: string; audience: string }) {
  const kind = clientId === audience ? 'included.client.audience' : 'included.custom.audience';
  return {
    ...{ name: 'mcp-gateway audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper' },
    config: { [kind]: audience, 'access.token.claim': 'true', 'id.token.claim': 'false' },
  };
}

/** A mapper that lists the groups by their own names. */
export function groupsMapper(claim: string) {
  const everywhere = {
    'access.token.claim': 'true',
    'id.token.claim': 'true',
    'userinfo.token.claim': 'true',
  };
  return {
    name: 'mcp-gateway groups',
    ...{ protocol: 'openid-connect', protocolMapper: 'oidc-group-membership-mapper' },
    config: { 'claim.name': escaped(claim), 'full.path': 'false', ...everywhere },
  };
}
