import { applicationPermissions, delegatedPermissions, optionalClaims } from '../needs.ts';
import { agentRole, apiScope, graphAppId } from '../objects.ts';
import { certificateSettings } from './certificate.ts';
import type { Wish } from './wish.ts';

/** The wish as a shell script for the Azure CLI, for an administrator who is signed in with `az login`. */
export function printAz(wish: Wish): string {
  const claims = Object.fromEntries(
    Object.entries(optionalClaims).map(([token, names]) => [token, names.map((name) => ({ name }))]),
  );
  const body = {
    groupMembershipClaims: 'SecurityGroup',
    optionalClaims: claims,
    api: { requestedAccessTokenVersion: 2 },
    ...(wish.logoutUrl ? { web: { logoutUrl: wish.logoutUrl } } : {}),
  };
  const role = {
    ...{ value: agentRole, displayName: 'Invoke the gateway', isEnabled: true },
    ...{ description: 'Agents with this role can call the gateway.', allowedMemberTypes: ['Application'] },
  };
  return `#!/usr/bin/env bash
# The steps of "mcp-gateway gateway setup entra" for the Azure CLI. Sign in first: az login --tenant <tenant-id>
set -euo pipefail
umask 077
GRAPH=${graphAppId}

# Steps 1, 2 and 4: registration and redirect URIs
CLIENT_ID=$(az ad app create --display-name ${shell(wish.displayName)} --sign-in-audience AzureADMyOrg \\
  --web-redirect-uris ${wish.redirectUris.map(shell).join(' ')} --query appId --output tsv)
OBJECT_ID=$(az ad app show --id "$CLIENT_ID" --query id --output tsv)
az ad sp create --id "$CLIENT_ID"

# Step 5: permissions, looked up by name, and consent
for NAME in ${delegatedPermissions.join(' ')}; do
  ID=$(az ad sp show --id $GRAPH --query "oauth2PermissionScopes[?value=='$NAME'].id" --output tsv)
  az ad app permission add --id "$CLIENT_ID" --api $GRAPH --api-permissions "$ID=Scope"
done
for NAME in ${applicationPermissions.join(' ')}; do
  ID=$(az ad sp show --id $GRAPH --query "appRoles[?value=='$NAME'].id" --output tsv)
  az ad app permission add --id "$CLIENT_ID" --api $GRAPH --api-permissions "$ID=Role"
done
az ad app permission admin-consent --id "$CLIENT_ID"

# Steps 6, 7 and 11: claims, and the API with its scope and role
az ad app update --id "$CLIENT_ID" --identifier-uris "api://$CLIENT_ID"
az rest --method PATCH --url "https://graph.microsoft.com/v1.0/applications/$OBJECT_ID" --body '${JSON.stringify(body)}'
az rest --method PATCH --url "https://graph.microsoft.com/v1.0/applications/$OBJECT_ID" \\
  --body "{\\"api\\":{\\"oauth2PermissionScopes\\":[{\\"id\\":\\"$(uuidgen)\\",\\"value\\":\\"${apiScope}\\",\\"type\\":\\"Admin\\",\\"isEnabled\\":true,\\"adminConsentDisplayName\\":\\"Access MCP Gateway\\",\\"adminConsentDescription\\":\\"Allow the application to access MCP Gateway.\\"}]}}"
az ad app update --id "$CLIENT_ID" --app-roles "$(echo '[${JSON.stringify(role)}]' | sed "s/{/{\\"id\\":\\"$(uuidgen)\\",/")"

# Steps 8 to 10: groups
${wish.groups.map(groupLines).join('\n')}

${credentialLines(wish)}

cat >> .env <<END
${Object.entries(wish.settings)
  .map(([name, value]) => `${name}=${value}`)
  .join('\n')}
ENTRA_TENANT_ID=$(az account show --query tenantId --output tsv)
ENTRA_CLIENT_ID=$CLIENT_ID
${envLines(wish).join('\n')}
${wish.groups
  .filter(({ role }) => role === 'admin' || role === 'user')
  .map(({ role }) => `ENTRA_GROUP_${role === 'admin' ? 'ADMIN' : 'USERS'}_ID=$GROUP_${role.toUpperCase()}`)
  .join('\n')}
SECRET_KEY=$(openssl rand -hex 32)
END
`;
}

function credentialLines({ certificate, secretDays }: Wish): string {
  if (certificate)
    return `# Step 3: the public part of the certificate
az ad app credential reset --id "$CLIENT_ID" --append --cert "$(openssl x509 -in ${shell(certificate.path)})"`;
  return `# Step 3: the secret, shown once
SECRET=$(az ad app credential reset --id "$CLIENT_ID" --append --display-name mcp-gateway-auth \\
  --end-date "$(date -u -d '+${secretDays} days' +%Y-%m-%d)" --query password --output tsv)`;
}

function envLines({ certificate }: Wish): string[] {
  return certificate
    ? Object.entries(certificateSettings(certificate)).map(([name, value]) => `${name}=${value}`)
    : ['ENTRA_CLIENT_SECRET=$SECRET'];
}

function groupLines({ role, displayName, description, uniqueName }: Wish['groups'][number]): string {
  const name = `GROUP_${role.toUpperCase()}`;
  const create = `${name}=$(az ad group create --display-name ${shell(displayName)} --mail-nickname ${shell(uniqueName)} \\
  --description ${shell(description)} --query id --output tsv)`;
  const first = `az ad group member add --group "$${name}" --member-id "$(az ad signed-in-user show --query id --output tsv)"`;
  return role === 'admin' ? `${create}\n${first}` : create;
}

function shell(text: string): string {
  return /^[\w.:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
