import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type createRequestStateCodec,
  type ElicitRequestFormParams,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { progressTokenOf } from '../mcp-context.ts';
import { answer } from './samples.ts';

type Codec = ReturnType<typeof createRequestStateCodec<{ step: string }>>;

const Name = z.object({ name: z.string() });
const askName = (message: string) => inputRequired.elicit({ message, requestedSchema: Name });
const askOk = () => inputRequired.elicit({ message: 'Please confirm', requestedSchema: z.object({ ok: z.boolean() }) });
const prompt = (content: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: content } }],
    maxTokens,
  });
const Capabilities = z.object({ sampling: z.unknown(), elicitation: z.unknown() }).partial();
/** What this request says that its client can do. */
const declared = (ctx: ServerContext): z.infer<typeof Capabilities> =>
  Capabilities.parse(new Map(Object.entries(ctx.mcpReq.envelope ?? {})).get(CLIENT_CAPABILITIES_META_KEY) ?? {});
const has = (ctx: ServerContext, key: string): boolean => ctx.mcpReq.inputResponses?.[key] !== undefined;

/** Tools that ask the client in the middle of a call, in the way of 2026-07-28: an answer that says what is missing, and a second call. */
export function addAskingTools(server: McpServer, codec: Codec): void {
  const prefix = 'test_input_required_result_';
  server.registerTool(`${prefix}elicitation`, { description: 'Asks for a name.' }, (ctx) => {
    const given = acceptedContent(ctx.mcpReq.inputResponses, 'user_name', Name);
    return given
      ? answer(`Hello, ${given.name}!`)
      : inputRequired({ inputRequests: { user_name: askName('What is your name?') } });
  });
  server.registerTool(`${prefix}sampling`, { description: 'Asks the client’s model.' }, (ctx) =>
    has(ctx, 'capital_question')
      ? answer(`The model says: ${JSON.stringify(ctx.mcpReq.inputResponses?.['capital_question'])}`)
      : inputRequired({ inputRequests: { capital_question: prompt('What is the capital of France?', 100) } }),
  );
  server.registerTool(`${prefix}list_roots`, { description: 'Asks for the client’s roots.' }, (ctx) =>
    has(ctx, 'client_roots')
      ? answer(`Roots: ${JSON.stringify(ctx.mcpReq.inputResponses?.['client_roots'])}`)
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } }),
  );
  server.registerTool(`${prefix}multiple_inputs`, { description: 'Asks for three things at once.' }, async (ctx) =>
    ['user_name', 'greeting', 'client_roots'].every((k) => has(ctx, k)) && ctx.mcpReq.requestState() !== undefined
      ? answer('all three came')
      : inputRequired({
          inputRequests: {
            user_name: askName('What is your name?'),
            greeting: prompt('Generate a greeting', 50),
            client_roots: inputRequired.listRoots(),
          },
          requestState: await codec.mint({ step: 'multiple' }),
        }),
  );
  for (const [name, word] of [
    ['request_state', 'state-ok'],
    ['tampered_state', 'untouched'],
  ] as const)
    server.registerTool(`${prefix}${name}`, { description: 'Asks, and knows its own state again.' }, async (ctx) =>
      has(ctx, 'confirm') && ctx.mcpReq.requestState<{ step: string }>()?.step === name
        ? answer(word)
        : inputRequired({ inputRequests: { confirm: askOk() }, requestState: await codec.mint({ step: name }) }),
    );
  server.registerTool(`${prefix}multi_round`, { description: 'Asks twice.' }, async (ctx) => {
    const step = ctx.mcpReq.requestState<{ step: string }>()?.step;
    if (step === 'two' && has(ctx, 'step2')) return answer('both answers came');
    if (step === 'one' && has(ctx, 'step1'))
      return inputRequired({
        inputRequests: {
          step2: inputRequired.elicit({
            message: 'Step 2: What is your favorite color?',
            requestedSchema: z.object({ color: z.string() }),
          }),
        },
        requestState: await codec.mint({ step: 'two' }),
      });
    return inputRequired({
      inputRequests: { step1: askName('Step 1: What is your name?') },
      requestState: await codec.mint({ step: 'one' }),
    });
  });
  server.registerTool(`${prefix}capabilities`, { description: 'Asks only for what the client can do.' }, (ctx) => {
    const can = declared(ctx);
    if (ctx.mcpReq.inputResponses) return answer('thank you');
    if (!can.sampling && !can.elicitation) return answer('this client cannot be asked anything');
    return inputRequired({
      inputRequests: {
        ...(can.sampling ? { thought: prompt('Say something', 50) } : {}),
        ...(can.elicitation ? { user_name: askName('What is your name?') } : {}),
      },
    });
  });
  // The library refuses to ask a client for what it did not declare: that refusal is what this tool is for.
  server.registerTool('test_missing_capability', { description: 'Needs a client that can sample.' }, (ctx) =>
    has(ctx, 'thought')
      ? answer('this client can sample')
      : inputRequired({ inputRequests: { thought: prompt('Say something', 50) } }),
  );
  server.registerTool(
    'test_streaming_elicitation',
    { description: 'Reports progress, then asks: on a stream, and without a request of its own.' },
    async (ctx) => {
      const progressToken = progressTokenOf(ctx);
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1, total: 2 } });
      return has(ctx, 'user_name')
        ? answer('thank you')
        : inputRequired({ inputRequests: { user_name: askName('What is your name?') } });
    },
  );
  server.registerPrompt(`${prefix}prompt`, { description: 'A prompt that asks first.' }, (ctx) => {
    const schema = z.object({ context: z.string() });
    const given = acceptedContent(ctx.mcpReq.inputResponses, 'user_context', schema);
    return given
      ? { messages: [{ role: 'user', content: { type: 'text', text: `Context: ${given.context}` } }] }
      : inputRequired({
          inputRequests: {
            user_context: inputRequired.elicit({
              message: 'What context should the prompt use?',
              requestedSchema: schema,
            }),
          },
        });
  });
}

type Properties = ElicitRequestFormParams['requestedSchema']['properties'];

/** Tools that ask in the way of 2025-11-25 and older: a request from the server to the client on the stream of the call. */
export function addOlderAskingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the client’s model.', inputSchema: z.object({ prompt: z.string() }) },
    async (args, ctx) => {
      const said = await ctx.mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: args.prompt } }],
        maxTokens: 100,
      });
      return answer(`LLM response: ${JSON.stringify(said.content)}`);
    },
  );
  const ask = async (ctx: ServerContext, message: string, properties: Properties, required: string[]) => {
    const got = await ctx.mcpReq.elicitInput({ message, requestedSchema: { type: 'object', properties, required } });
    return `action=${got.action}, content=${JSON.stringify(got.content ?? {})}`;
  };
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the person.', inputSchema: z.object({ message: z.string() }) },
    async (args, ctx) => {
      const said = await ask(
        ctx,
        args.message,
        {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        },
        ['username', 'email'],
      );
      return answer(`User response: ${said}`);
    },
  );
  server.registerTool('test_elicitation_sep1034_defaults', { description: 'Asks with defaults.' }, async (ctx) => {
    const said = await ask(
      ctx,
      'Please check these values',
      {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      },
      [],
    );
    return answer(`Elicitation completed: ${said}`);
  });
  server.registerTool('test_elicitation_sep1330_enums', { description: 'Asks for choices.' }, async (ctx) => {
    const three = ['option1', 'option2', 'option3'];
    const titled = [
      { const: 'value1', title: 'First Option' },
      { const: 'value2', title: 'Second Option' },
      { const: 'value3', title: 'Third Option' },
    ];
    const said = await ask(
      ctx,
      'Please choose',
      {
        untitledSingle: { type: 'string', enum: three },
        titledSingle: { type: 'string', oneOf: titled },
        legacyEnum: {
          type: 'string',
          enum: ['opt1', 'opt2', 'opt3'],
          enumNames: ['Option One', 'Option Two', 'Option Three'],
        },
        untitledMulti: { type: 'array', items: { type: 'string', enum: three } },
        titledMulti: { type: 'array', items: { anyOf: titled } },
      },
      [],
    );
    return answer(`Elicitation completed: ${said}`);
  });
}
