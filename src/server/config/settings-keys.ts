import { isLoopback, oneOf, setting, text, url, wrong } from './setting.ts';

const group = 'Encryption at rest';

/** The settings of the key that wraps what seals secrets in the database: a part of `settings`. */
export const keysSettings = {
  VAULT_KMS: setting({
    group,
    about:
      'What wraps the data key that seals secrets in the database: `embedded` (a key derived from SECRET_KEY) or `transit` (the ' +
      'transit engine of OpenBao or HashiCorp Vault).',
    default: 'embedded',
    parse: oneOf('embedded', 'transit'),
  }),
  VAULT_ADDR: setting({
    group,
    about: 'The address of OpenBao or Vault, such as https://vault.example.com:8200.',
    default: '',
    parse(value) {
      const at = url(value);
      if (at !== '' && new URL(at).protocol === 'http:' && !isLoopback(new URL(at).hostname))
        wrong(
          `'${value}' must begin with https://: the token and the data key would cross the network in the clear`,
        );
      return at;
    },
  }),
  VAULT_NAMESPACE: setting({
    group,
    about: 'The namespace, where there are some.',
    default: '',
    parse: text,
  }),
  VAULT_TRANSIT_MOUNT: setting({
    group,
    about: 'Where the transit engine is mounted.',
    default: 'transit',
    parse: pathSegments,
  }),
  VAULT_TRANSIT_KEY: setting({
    group,
    about: 'The key of the engine that wraps the data key. It has to be there; the gateway makes none.',
    default: 'mcp-gateway',
    // The engine has no names with a slash.
    parse: (value) =>
      value.includes('/') ? wrong(`'${value.slice(0, 100)}' may not have a '/'`) : pathSegments(value),
  }),
  VAULT_TOKEN: setting({
    group,
    about: 'A token that may encrypt, decrypt and rewrap with that key.',
    default: '',
    secret: true,
    parse: text,
  }),
  VAULT_TOKEN_FILE: setting({
    group,
    about: 'A file that holds the token instead, read at each use, as an agent keeps it.',
    default: '',
    parse: text,
  }),
  VAULT_KUBERNETES_ROLE: setting({
    group,
    about: 'The role to log in as with the service account of the pod instead (`auth/kubernetes`).',
    default: '',
    parse: text,
  }),
  VAULT_KUBERNETES_TOKEN_FILE: setting({
    group,
    about: 'The token of that service account.',
    default: '/var/run/secrets/kubernetes.io/serviceaccount/token',
    parse: text,
  }),
} as const;

function pathSegments(value: string): string {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/.test(value)
    ? value
    : wrong(`'${value.slice(0, 100)}' may have letters, digits, '.', '_', '-' and '/'`);
}
