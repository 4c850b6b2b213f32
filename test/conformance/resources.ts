import { completable, type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { pixel } from './media.ts';

/** Registers resources, a template, prompts and completion. */
export function registerResources(server: McpServer): void {
  const fixture = (name: string, mimeType: string) => ({ description: `Fixture ${name}`, mimeType });
  server.registerResource('static-text', 'test://static-text', fixture('text', 'text/plain'), ({ href }) => ({
    contents: [
      { uri: href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
    ],
  }));
  server.registerResource(
    'static-binary',
    'test://static-binary',
    fixture('png', 'image/png'),
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'image/png', blob: pixel }],
    }),
  );
  server.registerResource(
    'watched',
    'test://watched-resource',
    fixture('watched', 'text/plain'),
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'text/plain', text: 'Watched.' }],
    }),
  );
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    fixture('template', 'application/json'),
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
}

/** Registers the prompts; the arguments of one can be completed. */
export function registerPrompts(server: McpServer): void {
  const says = (text: string) => ({ role: 'user', content: { type: 'text', text } }) as const;
  server.registerPrompt('test_simple_prompt', { description: 'Without arguments' }, () => ({
    messages: [says('This is a simple prompt for testing.')],
  }));
  const words = (typed: string) => ['paris', 'park', 'party'].filter((word) => word.startsWith(typed));
  const argsSchema = z.object({ arg1: completable(z.string(), words), arg2: z.string() });
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'With arguments', argsSchema },
    ({ arg1, arg2 }) => ({ messages: [says(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' };
      const embedded = { role: 'user', content: { type: 'resource', resource } } as const;
      return { messages: [embedded, says('Please process the embedded resource above.')] };
    },
  );
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: pixel, mimeType: 'image/png' } },
      says('Please analyze the image above.'),
    ],
  }));
}
