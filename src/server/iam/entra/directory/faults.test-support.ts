import type { Emulator } from '../../../../entra-emulator/main.ts';
import type { Fetch } from '../../../net/outbound.ts';

/** One request on its way: to be sent on, lost, or answered otherwise. */
export type Passage = (send: () => Promise<Response>, path: string) => Promise<Response>;

/** What may happen to a request and, where it is no single mishap, to those after it. */
export type FaultTable = Readonly<Record<string, () => Passage>>;

const lost = (): never => {
  throw new TypeError('fetch failed');
};
const once =
  (passage: Passage): (() => Passage) =>
  () => {
    let isOver = false;
    return (send, path) => {
      if (isOver) return send();
      isOver = true;
      return passage(send, path);
    };
  };
const broken = () => Response.json({ error: { code: 'InternalServerError', message: '' } }, { status: 500 });
/** Sends one on, and answers it and all after it so. */
const last =
  (answer: () => Response): (() => Passage) =>
  () => {
    let isOver = false;
    return async (send) => {
      if (!isOver) await send();
      isOver = true;
      return answer();
    };
  };

/** Every mishap that a request to the directory of an emulator may meet. */
export function directoryFaults({ faults }: Emulator): FaultTable {
  return {
    'is refused once with 500': once((send, path) => {
      faults.add({ kind: 'status', status: 500, path, times: 1 });
      return send();
    }),
    'is refused once with 503': once((send, path) => {
      faults.add({ kind: 'status', status: 503, path, times: 1 });
      return send();
    }),
    'is throttled once': once((send, path) => {
      faults.add({ kind: 'throttle', retryAfterSeconds: 2, path, times: 1 });
      return send();
    }),
    'does not arrive': once(async () => lost()),
    'is done, but its answer is lost': once(async (send) => {
      await send();
      return lost();
    }),
    'is done, but answered with 500': once(async (send) => {
      await send();
      return broken();
    }),
    'is refused with 500 for good': () => (send, path) => {
      if (!faults.list().some((fault) => fault.path === path))
        faults.add({ kind: 'status', status: 500, path });
      return send();
    },
    'does not arrive, nor does any after it': () => async () => lost(),
    'is the last that arrives, and its answer is lost': last(lost),
    'is the last that is done, and answered with 500 as are all after it': last(broken),
  };
}

/** Sends everything on but what is from the request `from()` (from 0) on; tells what was sent, by method and path. */
export function faultyTransport(from: () => number, passage: Passage): { fetch: Fetch; sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    fetch: (url, init) => {
      const { pathname } = new URL(String(url));
      const send = () => fetch(url, init);
      const nth = sent.push(`${init?.method ?? 'GET'} ${pathname.replace(/^\/graph\/v1\.0/, '')}`) - 1;
      return nth < from() ? send() : passage(send, pathname);
    },
  };
}

/** Every request with every fault: the request, which it is, the fault's name and what it does. */
export function everyFault(requests: readonly string[], faults: FaultTable) {
  return requests.flatMap((request, at) =>
    Object.entries(faults).map(([fault, make]) => [request, at, fault, make] as const),
  );
}
