import { auth0 } from './shapes/auth0.test-support.ts';
import { cognito } from './shapes/cognito.test-support.ts';
import { entra } from './shapes/entra.test-support.ts';
import { google } from './shapes/google.test-support.ts';
import { keycloak } from './shapes/keycloak.test-support.ts';
import { oidc } from './shapes/oidc.test-support.ts';
import { okta } from './shapes/okta.test-support.ts';
import type { ProviderShape } from './shapes/shape.test-support.ts';

/** Every provider: joining this list buys the contract's tests. */
export const shapes: readonly ProviderShape[] = [entra, keycloak, cognito, auth0, okta, google, oidc];
