import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAuthority, startProxy, type TestProxy } from './connector.test-support.ts';
import { type Resolve, secureContextOf, type TlsFiles } from './connector.ts';
import { type Outbound, type OutboundOptions, outbound } from './outbound.ts';

const company = createAuthority('Company CA');
const gateway = company.issue('gateway');
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A TLS server that says who its client is. */
function serveTls(options: ServerOptions = {}, names = ['tools.example', '127.0.0.1']): Promise<number> {
  const listener: RequestListener = ({ socket }, res) => {
    const { subject } = (socket as TLSSocket).getPeerCertificate();
    res.end(`hello ${subject?.CN ?? 'nobody'}`);
  };
  return listen(createServer({ ...company.issue('tools', names), ...options }, listener));
}

function way(tls: TlsFiles | undefined, more: Partial<OutboundOptions> = {}): Outbound {
  const send = outbound({
    policy: { allowPrivate: true },
    ...more,
    ...(tls ? { tls: secureContextOf(tls) } : {}),
  });
  ends.push(() => send.close());
  return send;
}

const textOf = async (response: Promise<Response>): Promise<string> => (await response).text();

describe('TLS', () => {
  test('an authority of the operator is trusted, by its names only, and no other is', async () => {
    const url = `https://127.0.0.1:${await serveTls()}`;
    expect(await textOf(way({ ca: company.ca })(url))).toBe('hello nobody');
    await expect(way(undefined)(url)).rejects.toThrow('certificate is not trusted');
    await expect(way({ ca: createAuthority('Another').ca })(url)).rejects.toThrow(
      'certificate is not trusted',
    );
    const other = `https://127.0.0.1:${await serveTls({}, ['other.example'])}`;
    await expect(way({ ca: company.ca })(other)).rejects.toThrow('for another name');
  });

  test('the usual authorities stay trusted beside it', async () => {
    const usual = getCACertificates('default');
    const wellKnown = createAuthority('Well known');
    setDefaultCACertificates([...usual, wellKnown.ca]);
    ends.push(() => setDefaultCACertificates(usual));
    const url = `https://127.0.0.1:${await serveTls(wellKnown.issue('tools', ['127.0.0.1']))}`;
    expect(await textOf(way({ ca: company.ca })(url))).toBe('hello nobody');
  });

  test('a server that asks for a certificate gets that of the gateway, and one that is not shown is refused', async () => {
    const url = `https://127.0.0.1:${await serveTls({ requestCert: true, rejectUnauthorized: true, ca: company.ca })}`;
    expect(await textOf(way({ ca: company.ca, ...gateway })(url))).toBe('hello gateway');
    await expect(way({ ca: company.ca })(url)).rejects.toThrow();
    const stranger = createAuthority('Another').issue('gateway');
    await expect(way({ ca: company.ca, ...stranger })(url)).rejects.toThrow();
  });
});

describe('behind a forward proxy', () => {
  let proxy: TestProxy;
  const nobodyKnows: Resolve = async () => {
    throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  };
  const behind = (more: Partial<OutboundOptions> = {}, except: readonly string[] = []): Outbound =>
    way(
      { ca: company.ca, ...gateway },
      {
        policy: { allowPrivate: false },
        resolve: nobodyKnows,
        proxy: { https: proxy.url, http: proxy.url, except },
        ...more,
      },
    );

  beforeEach(async () => {
    proxy = await startProxy();
  });
  afterEach(async () => {
    await proxy.close();
  });

  test('TLS goes through it from end to end, with the certificate of the gateway', async () => {
    const port = await serveTls({ requestCert: true, rejectUnauthorized: true, ca: company.ca });
    proxy.url.username = 'me';
    proxy.url.password = 'p%40ss';
    expect(await textOf(behind()(`https://tools.example:${port}/`))).toBe('hello gateway');
    const credentials = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(proxy.asked).toEqual([{ authority: `tools.example:${port}`, credentials }]);
  });

  test('plain http goes through it as well, and nothing of the proxy reaches the server', async () => {
    const port = await listen(
      createPlainServer((req, res) =>
        res.end(JSON.stringify([req.url, req.headers['proxy-authorization'] ?? null])),
      ),
    );
    expect(await textOf(behind()(`http://tools.example:${port}/mcp`))).toBe('["/mcp",null]');
    expect(proxy.asked).toEqual([{ authority: `tools.example:${port}`, credentials: undefined }]);
  });

  test('its connections end with those of the gateway', async () => {
    const port = await serveTls();
    const send = behind();
    await textOf(send(`https://tools.example:${port}`));
    const closed = new Promise((resolve) => [...proxy.open][0]!.once('close', resolve));
    await send.close();
    await closed;
  });

  test.each([
    'http://169.254.169.254/',
    'http://[fd00:ec2::254]/',
    'http://10.0.0.1/',
    'http://127.0.0.1:1/',
    'http://localhost:1/',
  ])('%s is refused before the proxy hears of it', async (url) => {
    await expect(behind()(url)).rejects.toThrow(/never connects|not allowed/);
    expect(proxy.asked).toEqual([]);
  });

  test('a metadata address is refused whatever is allowed', async () => {
    const lenient = { policy: { allowPrivate: true } };
    await expect(behind(lenient)('https://169.254.169.254/')).rejects.toThrow('never connects');
    expect(proxy.asked).toEqual([]);
  });

  test('a name that is known here is judged by all its addresses', async () => {
    const resolve: Resolve = async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '169.254.169.254', family: 4 },
    ];
    await expect(behind({ resolve })('http://tools.example/')).rejects.toThrow('never connects');
    expect(proxy.asked).toEqual([]);
  });

  test('what it is not for is reached directly', async () => {
    const port = await listen(createPlainServer((_, res) => res.end('direct')));
    const resolve: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const policy = { allowPrivate: true };
    expect(await textOf(behind({ resolve, policy }, ['.example'])(`http://tools.example:${port}`))).toBe(
      'direct',
    );
    expect(proxy.asked).toEqual([]);
  });

  test.each([
    [403, 'does not open the way'],
    [407, 'user name and password'],
    [502, 'does not open the way'],
  ])('one that answers %i is told apart from the server', async (status, words) => {
    proxy.answer = status;
    await expect(behind()('https://tools.example/')).rejects.toThrow(words);
  });

  test('one that is not there is told apart from the server, and one that says nothing ends at the limit', async () => {
    const gone = await startProxy();
    await gone.close();
    const toNobody = behind({ proxy: { https: gone.url, http: null, except: [] } });
    await expect(toNobody('https://tools.example/')).rejects.toThrow('cannot be reached');
    proxy.answer = 0;
    await expect(behind({ headersMs: 50 })('https://tools.example/')).rejects.toThrow('within 0.05 s');
  });
});
