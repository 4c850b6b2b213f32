import { type EmulatorOptions, shippedSeed, shippedTenant, startEmulator } from '../main.ts';

const pat = shippedTenant.accounts.manyGroups;

/** An emulator whose account in many groups is in that many more. */
export async function emulatorWith(more: number, options: EmulatorOptions = {}) {
  const seed = shippedSeed();
  seed.tenants[0]?.groups?.push(
    ...Array.from({ length: more }, (_, at) => ({ displayName: `more-${at}`, members: [pat.objectId] })),
  );
  return startEmulator({ ...options, seed });
}
