/** The table of contents of the documentation: title and page, a path below docs/ without its ending. */
export interface Part {
  readonly text: string;
  readonly pages: readonly (readonly [title: string, page: string])[];
}

export const contents: readonly Part[] = [
  {
    text: 'Start',
    pages: [
      ['What it is', 'index'],
      ['Try it in two minutes', 'start'],
      ['Compare with other gateways', 'compare'],
      ['Install', 'install'],
    ],
  },
  {
    text: 'Connect a client',
    pages: [
      ['Overview: sign-in and tokens', 'connect/index'],
      ['VS Code', 'connect/vscode'],
      ['Cursor', 'connect/cursor'],
      ['Claude Code', 'connect/claude-code'],
      ['Claude Desktop', 'connect/claude-desktop'],
      ['Codex', 'connect/codex'],
      ['Gemini CLI', 'connect/gemini'],
      ['Windsurf', 'connect/windsurf'],
      ['Zed', 'connect/zed'],
      ['GitHub Copilot CLI', 'connect/copilot-cli'],
      ['opencode', 'connect/opencode'],
      ['Goose', 'connect/goose'],
      ['Kiro', 'connect/kiro'],
      ['Roo Code', 'connect/roo'],
      ['MCP Inspector', 'connect/inspector'],
      ['SDKs and your own programs', 'connect/sdks'],
      ['What was tested with which client', 'clients'],
    ],
  },
  {
    text: 'Concepts',
    pages: [
      ['How it works', 'concepts/how-it-works'],
      ['Identities and groups', 'concepts/identities'],
      ['Scopes and access', 'access'],
      ['Sessions and tokens', 'concepts/sessions'],
      ['Sign-in of MCP clients', 'oauth'],
      ['Virtual servers', 'virtual-servers'],
      ['Agents (A2A)', 'agents'],
      ['Search', 'search'],
      ['Glossary', 'concepts/glossary'],
    ],
  },
  {
    text: 'Deploy',
    pages: [
      ['Checklist', 'deploy/checklist'],
      ['Reverse proxies and streaming', 'deploy/proxies'],
      ['Containers and Kubernetes', 'deploy/containers'],
      ['Run it as a service', 'deploy/service'],
      ['PostgreSQL and several replicas', 'deploy/postgresql'],
      ['Sizing', 'deploy/sizing'],
      ['Backup and restore', 'deploy/backup'],
      ['Upgrade', 'deploy/upgrade'],
      ['Come from mcp-gateway-registry', 'deploy/from-another-registry'],
      ['Roll out to 500 people', 'deploy/rollout'],
    ],
  },
  {
    text: 'Identity providers',
    pages: [
      ['Choose', 'providers/index'],
      ['Microsoft Entra ID', 'providers/entra'],
      ['Keycloak', 'providers/keycloak'],
      ['Okta', 'providers/okta'],
      ['Auth0', 'providers/auth0'],
      ['Amazon Cognito', 'providers/cognito'],
      ['Google', 'providers/google'],
      ['Any OpenID Connect provider', 'providers/oidc'],
      ['The Entra ID emulator', 'entra-emulator'],
      ['The Cognito emulator', 'cognito-emulator'],
    ],
  },
  {
    text: 'Administer',
    pages: [
      ['Tasks', 'administer'],
      ['Share a server', 'guide/share-a-server'],
      ['Groups, people and applications', 'iam'],
      ["Each person's own credential", 'connections'],
      ['Ask for access, and grant it', 'guide/ask-for-access'],
      ['Answer an audit question', 'guide/answer-an-audit-question'],
      ['Connect a client (web)', 'guide/connect'],
      ['The web interface', 'ui'],
    ],
  },
  {
    text: 'Operate',
    pages: [
      ['Health, metrics, limits', 'operations'],
      ['Audit trail', 'audit'],
      ['Resilience', 'resilience'],
      ['Performance', 'performance'],
    ],
  },
  {
    text: 'Troubleshoot',
    pages: [
      ['By symptom', 'troubleshoot'],
      ['FAQ', 'faq'],
    ],
  },
  {
    text: 'Security',
    pages: [
      ['Threat model', 'security'],
      ['Data, ports, hardening', 'hardening'],
    ],
  },
  {
    text: 'Reference',
    pages: [
      ['Command line', 'reference/cli'],
      ['API', 'reference/api'],
      ['Settings', 'reference/settings'],
      ['Error codes', 'reference/errors'],
      ['Messages', 'reference/messages'],
    ],
  },
  {
    text: 'Contribute',
    pages: [
      ['Your first change', 'contribute/first-change'],
      ['Add an identity provider', 'contribute/add-a-provider'],
      ['Add a page', 'contribute/add-a-page'],
      ['Architecture of the code', 'architecture'],
      ['Decisions', 'decisions/index'],
    ],
  },
];
