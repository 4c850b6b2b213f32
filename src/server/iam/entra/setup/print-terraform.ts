import { applicationPermissions, delegatedPermissions, optionalClaims } from '../needs.ts';
import { agentRole, apiScope } from '../objects.ts';
import { certificateSettings } from './certificate.ts';
import type { Wish } from './wish.ts';

/** The wish as configuration for Terraform's providers azuread and random. */
export function printTerraform(wish: Wish): string {
  const access = [
    ...delegatedPermissions.map((value) => ({ value, kind: 'oauth2_permission_scope_ids', type: 'Scope' })),
    ...applicationPermissions.map((value) => ({ value, kind: 'app_role_ids', type: 'Role' })),
  ].map(
    ({ value, kind, type }) => `    resource_access {
      id   = data.azuread_service_principal.graph.${kind}[${text(value)}]
      type = ${text(type)}
    }`,
  );
  return `# The steps of "mcp-gateway gateway setup entra" for Terraform.
terraform {
  required_providers {
    azuread = { source = "hashicorp/azuread", version = "~> 3.0" }
    random  = { source = "hashicorp/random", version = "~> 3.0" }
  }
}

data "azuread_client_config" "current" {}

data "azuread_application_published_app_ids" "well_known" {}

data "azuread_service_principal" "graph" {
  client_id = data.azuread_application_published_app_ids.well_known.result.MicrosoftGraph
}

resource "random_uuid" "scope" {}

resource "random_uuid" "role" {}

resource "azuread_application" "gateway" {
  display_name            = ${text(wish.displayName)}
  sign_in_audience        = "AzureADMyOrg"
  group_membership_claims = ["SecurityGroup"]

  web {
    redirect_uris = [${wish.redirectUris.map(text).join(', ')}]${wish.logoutUrl ? `\n    logout_url    = ${text(wish.logoutUrl)}` : ''}
  }

  required_resource_access {
    resource_app_id = data.azuread_service_principal.graph.client_id
${access.join('\n')}
  }

  optional_claims {
${claims('id_token', optionalClaims.idToken)}
${claims('access_token', optionalClaims.accessToken)}
  }

  api {
    requested_access_token_version = 2
    oauth2_permission_scope {
      id                         = random_uuid.scope.result
      value                      = ${text(apiScope)}
      type                       = "Admin"
      admin_consent_display_name = "Access MCP Gateway"
      admin_consent_description  = "Allow the application to access MCP Gateway on behalf of the signed-in user."
    }
  }

  app_role {
    id                   = random_uuid.role.result
    value                = ${text(agentRole)}
    display_name         = "Invoke the gateway"
    description          = "Agents with this role can call the gateway."
    allowed_member_types = ["Application"]
  }

  lifecycle {
    ignore_changes = [identifier_uris]
  }
}

resource "azuread_application_identifier_uri" "gateway" {
  application_id = azuread_application.gateway.id
  identifier_uri = "api://\${azuread_application.gateway.client_id}"
}

resource "azuread_service_principal" "gateway" {
  client_id = azuread_application.gateway.client_id
}

resource "azuread_service_principal_delegated_permission_grant" "consent" {
  service_principal_object_id          = azuread_service_principal.gateway.object_id
  resource_service_principal_object_id = data.azuread_service_principal.graph.object_id
  claim_values                         = [${delegatedPermissions.map(text).join(', ')}]
}

resource "azuread_app_role_assignment" "directory" {
  for_each            = toset([${applicationPermissions.map(text).join(', ')}])
  app_role_id         = data.azuread_service_principal.graph.app_role_ids[each.value]
  principal_object_id = azuread_service_principal.gateway.object_id
  resource_object_id  = data.azuread_service_principal.graph.object_id
}
${wish.groups.map(groupBlock).join('')}
${credentialBlock(wish)}
output "env" {
  sensitive = true
  value     = <<-END
${Object.entries(wish.settings)
  .map(([name, value]) => `    ${name}=${value}`)
  .join('\n')}
    ENTRA_TENANT_ID=\${data.azuread_client_config.current.tenant_id}
    ENTRA_CLIENT_ID=\${azuread_application.gateway.client_id}
${envLines(wish).join('\n')}
${wish.groups
  .filter(({ role }) => role === 'admin' || role === 'user')
  .map(
    ({ role }) =>
      `    ENTRA_GROUP_${role === 'admin' ? 'ADMIN' : 'USERS'}_ID=\${azuread_group.${role}.object_id}`,
  )
  .join('\n')}
  END
}
`;
}

function claims(token: string, names: readonly string[]): string {
  return names.map((name) => `    ${token} {\n      name = ${text(name)}\n    }`).join('\n');
}

function credentialBlock({ certificate, secretDays }: Wish): string {
  if (certificate)
    return `resource "azuread_application_certificate" "gateway" {
  application_id = azuread_application.gateway.id
  type           = "AsymmetricX509Cert"
  encoding       = "pem"
  # A file with the certificate alone: what is read here goes into the state.
  value = file(${text(certificate.path)})
}
`;
  return `resource "azuread_application_password" "gateway" {
  application_id = azuread_application.gateway.id
  display_name   = "mcp-gateway-auth"
  end_date       = timeadd(plantimestamp(), "${secretDays * 24}h")
  lifecycle {
    ignore_changes = [end_date]
  }
}
`;
}

function envLines({ certificate }: Wish): string[] {
  return certificate
    ? Object.entries(certificateSettings(certificate)).map(([name, value]) => `    ${name}=${value}`)
    : [`    ENTRA_CLIENT_SECRET=\${azuread_application_password.gateway.value}`];
}

function groupBlock({ role, displayName, description }: Wish['groups'][number]): string {
  const members =
    role === 'admin' ? '\n  members          = [data.azuread_client_config.current.object_id]' : '';
  return `
resource "azuread_group" "${role}" {
  display_name     = ${text(displayName)}
  description      = ${text(description)}
  security_enabled = true${members}
}
`;
}

function text(value: string): string {
  return JSON.stringify(value).replaceAll('${', '$${');
}
