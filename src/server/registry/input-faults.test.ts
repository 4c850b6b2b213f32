import { expect, test } from 'vitest';
import { urlForRecord } from './input-faults.ts';

test.each([
  ['https://mcp.example/mcp', 'https://mcp.example/mcp'],
  ['https://mcp.example:8443/v1/sse', 'https://mcp.example:8443/v1/sse'],
  ['https://mcp.example/', 'https://mcp.example/'],
  ['https://mcp.example/s/4f3c9a/mcp', 'https://mcp.example/…/…/mcp'],
  ['https://mcp.example/mcp;key=4f3c9a', 'https://mcp.example/…'],
  ['https://mcp.example/%6dcp/MCP', 'https://mcp.example/…/…'],
  ['https://u:4f3c9a@mcp.example/mcp?key=4f3c9a#4f3c9a', 'https://mcp.example/mcp'],
  ['4f3c9a', '…'],
])('of %s the record keeps %s', (url, kept) => {
  expect(urlForRecord(url)).toBe(kept);
});
