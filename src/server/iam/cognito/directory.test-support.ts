import { randomUUID } from 'node:crypto';
import { readConfig } from '../../config/config.ts';
import type { Fetch } from '../../net/outbound.ts';
import type { Directory } from '../directory.ts';
import { directoryOf } from '../index.ts';
import type { EmulatedPool } from './pool.test-support.ts';

/** The settings of a gateway that manages the accounts of an emulated pool. */
export function settingsFor({ id, url }: EmulatedPool): Record<string, string> {
  return {
    ...{ SECRET_KEY: '3f6c1c0d9e8b7a6f5e4d3c2b1a0f9e8d', REGISTRY_URL: 'https://gateway.example.com' },
    ...{ AUTH_PROVIDER: 'cognito', COGNITO_USER_POOL_ID: id, COGNITO_CLIENT_ID: 'web' },
    ...{ COGNITO_CLIENT_SECRET: 'web-secret', COGNITO_DIRECTORY: 'true', COGNITO_IDP_ENDPOINT: url },
  };
}

/** The directory that these settings make, which does not wait; `waits` are in milliseconds. */
export function poolDirectory(
  pool: EmulatedPool,
  options: { settings?: Record<string, string>; fetch?: Fetch; now?: () => number } = {},
): { directory: Directory; waits: number[] } {
  const waits: number[] = [];
  const directory = directoryOf(readConfig({ ...settingsFor(pool), ...options.settings }, '/srv'), {
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    ...{ now: options.now ?? Date.now, newId: randomUUID },
    pause: async (milliseconds) => void waits.push(milliseconds),
  });
  if (!directory) throw new Error('the settings make no directory');
  return { directory, waits };
}
