import type { Identify, Identity } from '../identity/identity.ts';
import type { Exchange } from './exchange.ts';
import type { Place } from './place.ts';

/** Asks who is calling; fails for nobody (401, with the way to sign in) and for could-not-tell (503). */
export async function identify(
  world: { readonly identify: Identify; resourceMetadataUrl(path: string): string },
  exchange: Exchange,
  place: Place,
): Promise<Identity> {
  const answer = world.identify(exchange.req.headers, `/${place.server}`);
  const who = answer instanceof Promise ? await answer : answer;
  if (who.is === 'identity') {
    exchange.identity = who.identity;
    return who.identity;
  }
  exchange.challenge = world.resourceMetadataUrl(`/${place.server}/${place.endpoint}`);
  throw who.failure;
}
