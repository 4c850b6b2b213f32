import { expect, test } from 'vitest';
import { metaKeys, withoutTask } from './wire.ts';

const tasks = '"io.modelcontextprotocol/tasks"';

test.each([
  ['{"params":{"name":"a","task":{"ttl":1}},"id":1}', '{"params":{"name":"a"},"id":1}'],
  ['{"params":{"task":{},"name":"a"}}', '{"params":{"name":"a"}}'],
  ['{"params":{ "task" : {} , "name":"a"}}', '{"params":{ "name":"a"}}'],
  ['{"params":{"t\\u0061sk":{}}}', '{"params":{}}'],
  ['{"params":{"arguments":{"task":12345678901234567890}}}', undefined],
  ['{"params":["task"],"task":1}', undefined],
  ['{"params":{"_meta":{"x":{"extensions":{"y":{}}}}}}', undefined],
  [
    `{"params":{"_meta":{"${metaKeys.capabilities}":{"extensions":{"a/b":{},${tasks}:{}}}},"task":1}}`,
    `{"params":{"_meta":{"${metaKeys.capabilities}":{"extensions":{"a/b":{}}}}}}`,
  ],
])('a call that may not become a task: %s', (body, expected) => {
  expect(String(withoutTask(Buffer.from(body)))).toBe(expected ?? body);
});
