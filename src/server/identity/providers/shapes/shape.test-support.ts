import type { JWTPayload } from 'jose';
import type { Environment } from '../../../config/config.ts';
import type { Endpoints } from '../issuer.test-support.ts';

/** What a provider's tokens look like, by its documentation, and what the gateway has to make of them. */
export interface ProviderShape {
  readonly name: string;
  /** Where the shapes are documented. */
  readonly evidence: readonly string[];
  readonly settings: Environment;
  readonly endpoints: Endpoints;
  readonly client: { readonly id: string; readonly secret: string };
  /** Alice, in these groups. */
  idToken(groups: readonly string[]): JWTPayload;
  /** Alice by her ID and name, as sign-in has to find her. */
  readonly alice: { readonly subject: string; readonly username: string };
  /** Groups as the provider writes them. */
  readonly groups: readonly string[];
  /** Where the browser goes to sign out; undefined when the provider has no such page. */
  readonly signOut: RegExp | undefined;
  /** Absent where the provider has no access tokens for others. */
  readonly bearer?: {
    person(groups: readonly string[]): JWTPayload;
    agent(groups: readonly string[]): JWTPayload;
    readonly agentClient: string;
    /** Whether the tokens of agents carry groups in practice. */
    readonly agentHasGroups: boolean;
    /** Changes of a good token after which it is another kind of token, or for somebody else. */
    readonly wrong: Readonly<Record<string, JWTPayload>>;
    /** What a wrong audience has to be answered with. */
    readonly remedy: RegExp;
  };
}
