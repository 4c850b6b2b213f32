import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  adminClient,
  adminClientId,
  type Emulator,
  type Seed,
  startEmulator,
} from '../../../../entra-emulator/main.ts';
import { openBrowser } from '../../../../entra-emulator/testing/browser.ts';
import type { Fetch } from '../../../net/outbound.ts';
import { createGraph } from '../../../provider/graph.ts';
import { diskFiles, settingsIn } from '../../setup/files.ts';
import { signInWithCode } from '../device-code.ts';
import type { SetupWorld } from './step.ts';
import { type WishOptions, wishOf } from './wish.ts';

/** A tenant with nothing in it but one administrator and Microsoft's own client. */
const empty: Seed = {
  tenants: [
    {
      id: '7e4a0000-e000-4000-8000-0000000000ee',
      displayName: 'Empty',
      domains: ['empty.example'],
      users: [
        {
          userPrincipalName: 'root@empty.example',
          password: 'Emulator-demo-1',
          directoryRoles: ['Global Administrator'],
          about: 'administrator',
        },
      ],
      applications: [adminClient()],
    },
  ],
};

/** Setup in an emulated tenant and a folder of its own; waiting moves the emulator's clock, the test does not wait. */
export async function setupTrial() {
  const emulator: Emulator = await startEmulator({ seed: empty });
  const root = emulator.accounts[0];
  let folder = '';
  const said: string[] = [];
  const pause = async (milliseconds: number): Promise<void> => emulator.clock.advance(milliseconds);
  const signIn = () =>
    signInWithCode(
      {
        ...{ loginBaseUrl: emulator.origin, tenant: emulator.tenantId, fetch: fetch as never as Fetch },
        pause: async () => {},
        show: (address, user_code) =>
          void openBrowser().post(address, { user_code, emulator_account: root?.objectId ?? '' }),
      },
      adminClientId,
      ['Application.ReadWrite.All'],
    );
  const world = async (
    options: Partial<WishOptions> = {},
    send: Fetch = fetch as never,
  ): Promise<SetupWorld> => {
    const { token, tenantId, ...who } = await signIn();
    const files = diskFiles(folder, () => readFileSync('examples/scopes.yml', 'utf8'));
    const wished = { registryUrl: 'http://localhost:8080', place: 'here', ...options };
    const settings = { ENTRA_LOGIN_BASE_URL: emulator.origin, ENTRA_GRAPH_BASE_URL: emulator.graphOrigin };
    return {
      wish: wishOf({ ...wished, settings }),
      graph: createGraph({
        baseUrl: emulator.graphOrigin,
        token: async () => token,
        ...{ fetch: send, pause, newId: () => 'call' },
      }),
      ...{ tenantId, administrator: who, files, pause, say: (line: string) => void said.push(line) },
      now: emulator.clock.now,
      newId: () => crypto.randomUUID(),
      newKey: () => 'k'.repeat(10) + crypto.randomUUID(),
    };
  };
  return {
    ...{ emulator, world, pause, said },
    env: () => settingsIn(readFileSync(join(folder, '.env'), 'utf8')),
    /** Starts over with the empty tenant, in a new folder. */
    begin() {
      emulator.reset();
      said.length = 0;
      folder = mkdtempSync(join(tmpdir(), 'setup-test-'));
      return folder;
    },
    end: () => rmSync(folder, { recursive: true }),
    /** A run that dies after the `at`th change of tenant or folder and does nothing more. */
    async dying(at: number, options: Partial<WishOptions> = {}): Promise<SetupWorld> {
      let writes = 0;
      const change = async <T>(act: () => Promise<T>): Promise<T> => {
        writes += 1;
        if (writes > at) throw new Error('killed');
        const done = await act();
        if (writes === at) throw new Error('killed');
        return done;
      };
      const first = await world(options, async (url, init) => {
        if (init?.method !== 'GET') return change(() => fetch(url as string, init));
        if (writes >= at) throw new Error('killed');
        return fetch(url as string, init);
      });
      const files = {
        ...first.files,
        write: (name: string, text: string) => change(() => first.files.write(name, text)),
        remove: (name: string) => change(() => first.files.remove(name)),
      };
      const wait = (milliseconds: number) =>
        writes >= at ? Promise.reject(new Error('killed')) : pause(milliseconds);
      return { ...first, files, pause: wait };
    },
  };
}
