import type { Context } from 'hono';
import type { HttpEnv } from './env.ts';

/** The address of the client: of the connection or, behind trusted proxies, as the outermost of them saw it. */
export function clientIpOf(c: Context<HttpEnv>, trustedHops: number): string | null {
  return clientIp(c.env?.incoming?.socket?.remoteAddress, c.req.header('x-forwarded-for'), trustedHops);
}

/** The same for the data plane: from the socket's address and the `X-Forwarded-For` header. */
export function clientIp(
  remote: string | undefined,
  forwardedFor: string | string[] | undefined,
  hops: number,
): string | null {
  const direct = remote?.replace(/^::ffff:/, '') ?? null;
  if (hops === 0 || !forwardedFor) return direct;
  // Each proxy appends the address that it saw: only the last `hops` entries were written by proxies that we trust.
  const chain = String(forwardedFor)
    .split(',')
    .map((part) => part.trim());
  return chain.at(-hops) ?? chain[0] ?? direct;
}
