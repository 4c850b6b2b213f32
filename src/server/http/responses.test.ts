import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { HttpEnv } from './env.ts';
import { compressed } from './responses.ts';

const app = new Hono<HttpEnv>();
app.use(compressed());
const says = (length: number) => {
  const text = JSON.stringify('x'.repeat(length - 2));
  return new Response(text, {
    headers: { 'content-type': 'application/json', 'content-length': String(text.length) },
  });
};
app.get('/api/auth/me', () => says(50_000));
app.get('/:length', (c) => says(Number(c.req.param('length'))));

test.each([
  ['/50000', 'gzip', 'gzip'],
  ['/50000', 'identity', null],
  ['/3000', 'gzip', null],
  ['/api/auth/me', 'gzip', null],
])('%s for who takes %s comes as %s', async (path, takes, coding) => {
  const answer = await app.request(path, { headers: { 'accept-encoding': takes } });
  expect(answer.headers.get('content-encoding')).toBe(coding);
});
