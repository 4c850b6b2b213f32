import { setTimeout as wait } from 'node:timers/promises';
import {
  type CallToolResult,
  fromJsonSchema,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { pixel, silence } from './media.ts';
import { enumSchema, jsonSchema2020, schemaWithDefaults, schemaWithHeader, userSchema } from './schemas.ts';

/** How long the tools that show their progress take from step to step, in milliseconds; the scenarios ask for 50. */
const step = 50;

const text = (words: string): CallToolResult => ({ content: [{ type: 'text', text: words }] });
const image = { type: 'image', data: pixel, mimeType: 'image/png' } as const;

/** Tools without arguments. */
const plain: Record<string, (ctx: ServerContext) => CallToolResult | Promise<CallToolResult>> = {
  test_simple_text: () => text('This is a simple text response for testing.'),
  test_image_content: () => ({ content: [image] }),
  test_audio_content: () => ({ content: [{ type: 'audio', data: silence, mimeType: 'audio/wav' }] }),
  test_embedded_resource: () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }),
  test_multiple_content_types: () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }),
  test_error_handling: () => {
    throw new Error('This tool intentionally returns an error for testing');
  },
  test_tool_with_logging: (ctx) => logThreeTimes(ctx),
  test_logging_tool: (ctx) => logThreeTimes(ctx),
  test_tool_with_progress: (ctx) => showProgress(ctx),
  test_streaming_elicitation: (ctx) => showProgress(ctx),
  test_elicitation_sep1034_defaults: (ctx) => elicit(ctx, 'Fill in what differs', schemaWithDefaults),
  test_elicitation_sep1330_enums: (ctx) => elicit(ctx, 'Choose', enumSchema),
  test_reconnection: async (ctx) => {
    ctx.http?.closeSSE?.();
    await wait(step);
    return text('The stream was closed and taken up again.');
  },
};

/** Registers the tools that answer at once, show progress, or ask the client over a stream. */
export function registerTools(server: McpServer): void {
  for (const [name, run] of Object.entries(plain))
    server.registerTool(name, { description: `Fixture ${name}` }, (ctx) => run(ctx));
  server.registerTool(
    'test_sampling',
    { description: 'Asks the client for a completion', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, ctx) => {
      const messages = [{ role: 'user', content: { type: 'text', text: prompt } }];
      // With `send` it travels on the stream of this call; the other ways need the client's GET stream to be open already.
      const answer = await ctx.mcpReq.send({
        method: 'sampling/createMessage',
        params: { messages, maxTokens: 100 },
      });
      return text(`LLM response: ${JSON.stringify(answer.content)}`);
    },
  );
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the client for input', inputSchema: z.object({ message: z.string() }) },
    ({ message }, ctx) => elicit(ctx, message, userSchema, 'User response: '),
  );
  server.registerTool(
    'test_headers',
    { description: 'Has an argument that a header repeats', inputSchema: fromJsonSchema(schemaWithHeader) },
    () => text('done'),
  );
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(jsonSchema2020) },
    () => text('done'),
  );
}

function resource(uri: string, mimeType: string, words: string) {
  return { type: 'resource', resource: { uri, mimeType, text: words } } as const;
}

async function elicit(
  ctx: ServerContext,
  message: string,
  requestedSchema: object,
  said = 'Elicitation completed: ',
): Promise<CallToolResult> {
  const { action, content } = await ctx.mcpReq.send({
    method: 'elicitation/create',
    params: { mode: 'form', message, requestedSchema },
  });
  return text(`${said}action=${action}, content=${JSON.stringify(content ?? {})}`);
}

async function logThreeTimes(ctx: ServerContext): Promise<CallToolResult> {
  await ctx.mcpReq.log('info', 'Tool execution started');
  await wait(step);
  await ctx.mcpReq.log('info', 'Tool processing data');
  await wait(step);
  await ctx.mcpReq.log('info', 'Tool execution completed');
  return text('Logged three times.');
}

async function showProgress({ mcpReq }: ServerContext): Promise<CallToolResult> {
  const progressToken = mcpReq._meta?.progressToken;
  for (const progress of [0, 50, 100]) {
    if (progressToken !== undefined)
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 100 },
      });
    if (progress < 100) await wait(step);
  }
  return text('Done.');
}
