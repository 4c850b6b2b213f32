import type { Config } from '../../config.ts';
import type { Provider } from '../provider.ts';
import { entra } from './entra.ts';

/** The configured identity providers, each of a file of its own. */
export function providersOf(config: Pick<Config, 'entra'>): Provider[] {
  return [config.entra && entra(config.entra)].filter((provider) => provider !== null);
}
