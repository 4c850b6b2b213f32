import {
  type CallToolResult,
  createRequestStateCodec,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';

/** Seals the state of calls that take several rounds; a server that has it as `requestState.verify` refuses any other. */
export const states = createRequestStateCodec<{ round: number }>({
  key: 'a key of the conformance target only',
});

type Answers = Record<string, unknown>;
type Round = (answers: Answers, ctx: ServerContext) => Promise<CallToolResult | InputRequiredResult>;

const text = (words: string): CallToolResult => ({ content: [{ type: 'text', text: words }] });

function ask(message: string, member: string, type = 'string'): InputRequest {
  const requestedSchema = { type: 'object', properties: { [member]: { type } }, required: [member] };
  return inputRequired.elicit({ message, requestedSchema } as Parameters<typeof inputRequired.elicit>[0]);
}

function sample(words: string, maxTokens: number): InputRequest {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: words } }],
    maxTokens,
  });
}

/** The content of an accepted elicitation's member; undefined when it is not there. */
function given(answer: unknown, member: string): unknown {
  const { action, content } = (answer ?? {}) as { action?: unknown; content?: Record<string, unknown> };
  return action === 'accept' ? content?.[member] : undefined;
}

async function needs(
  inputRequests: Record<string, InputRequest>,
  round?: number,
): Promise<InputRequiredResult> {
  if (round === undefined) return inputRequired({ inputRequests });
  return inputRequired({ inputRequests, requestState: await states.mint({ round }) });
}

const roundOf = (ctx: ServerContext): number => {
  const state = ctx.mcpReq.requestState<{ round: number } | undefined>();
  return typeof state === 'object' ? state.round : 0;
};

const rounds: Record<string, Round> = {
  async test_input_required_result_elicitation({ user_name }) {
    const name = given(user_name, 'name');
    return typeof name === 'string'
      ? text(`Hello, ${name}!`)
      : needs({ user_name: ask('What is your name?', 'name') });
  },
  async test_input_required_result_sampling({ capital_question: answer }) {
    if (answer) return text(JSON.stringify(answer));
    return needs({ capital_question: sample('What is the capital of France?', 100) });
  },
  // The SDK answers for it when the client did not say that it samples.
  async test_missing_capability({ sample: answer }) {
    return answer ? text(JSON.stringify(answer)) : needs({ sample: sample('Hello', 10) });
  },
  async test_input_required_result_list_roots({ client_roots: answer }) {
    return answer ? text(JSON.stringify(answer)) : needs({ client_roots: inputRequired.listRoots() });
  },
  async test_input_required_result_request_state({ confirm }, ctx) {
    if (confirm && roundOf(ctx) === 1) return text('state-ok');
    return needs({ confirm: ask('Please confirm', 'ok', 'boolean') }, 1);
  },
  async test_input_required_result_tampered_state({ confirm }, ctx) {
    if (confirm && roundOf(ctx) === 1) return text('state-ok');
    return needs({ confirm: ask('Please confirm', 'ok', 'boolean') }, 1);
  },
  async test_input_required_result_multiple_inputs({ user_name, greeting, client_roots }) {
    if (user_name && greeting && client_roots)
      return text(JSON.stringify({ user_name, greeting, client_roots }));
    const inputs = {
      user_name: ask('What is your name?', 'name'),
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    };
    return needs(inputs, 1);
  },
  async test_input_required_result_multi_round({ step1, step2 }, ctx) {
    if (roundOf(ctx) === 2 && step2) return text(`Your color is ${String(given(step2, 'color'))}.`);
    if (roundOf(ctx) === 1 && step1)
      return needs({ step2: ask('Step 2: What is your favorite color?', 'color') }, 2);
    return needs({ step1: ask('Step 1: What is your name?', 'name') }, 1);
  },
  async test_input_required_result_capabilities(answers, ctx) {
    if (Object.keys(answers).length > 0) return text(JSON.stringify(answers));
    const meta = (ctx.mcpReq.envelope ?? {}) as Record<string, unknown>;
    const declared = meta['io.modelcontextprotocol/clientCapabilities'] as Record<string, unknown>;
    const inputs: Record<string, InputRequest> = {};
    if (declared?.elicitation) inputs.name = ask('What is your name?', 'name');
    if (declared?.sampling) inputs.greeting = sample('Generate a greeting', 50);
    if (declared?.roots) inputs.roots = inputRequired.listRoots();
    return Object.keys(inputs).length > 0 ? needs(inputs) : text('Nothing to ask.');
  },
};

/** Registers what asks for input in its result (2026-07-28, SEP-2322): nine tools and a prompt. */
export function registerInputRequired(server: McpServer): void {
  for (const [name, run] of Object.entries(rounds))
    server.registerTool(name, { description: `Fixture ${name}` }, (ctx) =>
      run(ctx.mcpReq.inputResponses ?? {}, ctx),
    );
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, async (ctx) => {
    const context = given(ctx.mcpReq.inputResponses?.user_context, 'context');
    if (context === undefined)
      return needs({ user_context: ask('What context should the prompt use?', 'context') });
    return { messages: [{ role: 'user', content: { type: 'text', text: `Context: ${String(context)}` } }] };
  });
}
