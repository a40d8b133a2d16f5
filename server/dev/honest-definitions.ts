// Definitions in the manner of the servers that organizations connect: files, code hosting, chat, mail, CRM, browser, databases, search, notes. The
// words are ours; the habits are theirs, with capitals, emoji, lists of steps, names of their own other tools and examples of every kind.
const text = (description: string, more: object = {}): object => ({ type: 'string', description, ...more });
const tool = (
  name: string,
  description: string,
  properties: Record<string, object> = {},
  more: object = {},
): Record<string, unknown> => ({
  name,
  description,
  inputSchema: { type: 'object', properties, ...more },
});

export const honest: readonly Record<string, unknown>[] = [
  tool(
    'read_text_file',
    'Read the complete contents of a file from the file system as text. Handles various encodings and gives a detailed error if the file cannot be read. Use this tool when you need to examine one file. Only works within allowed directories.',
    { path: text('Path of the file'), head: { type: 'number', description: 'Only the first N lines' } },
  ),
  tool(
    'write_file',
    'Create a new file or completely overwrite an existing one. Use with caution: it overwrites without warning. Only works within allowed directories.',
    { path: text('Where to'), content: text('The whole new content') },
  ),
  tool(
    'edit_file',
    'Make line-based edits. Each edit replaces exact line sequences with new content. Returns a git-style diff. ALWAYS use dryRun first to preview changes.',
    {
      edits: {
        type: 'array',
        items: { type: 'object', properties: { oldText: text('Must match exactly'), newText: text('Instead') } },
      },
      dryRun: { type: 'boolean', default: false },
    },
  ),
  tool('get_file_contents', 'Get the contents of a file or directory from a repository', {
    owner: text('Repository owner (username or organization name)'),
    repo: text('Repository name'),
    path: text('Path to file/directory', { default: '/' }),
    ref: text('Accepts refs such as `refs/tags/{tag}`, `refs/heads/{branch}` or `refs/pull/{number}/head`'),
  }),
  tool(
    'create_or_update_file',
    'Create or update a single file. If updating, you must provide the SHA of the file you want to update. Use git ls-tree to get it before.',
    { sha: text('Required if the file already exists'), message: text('Commit message') },
  ),
  tool('manage_notification_subscription', 'Manage a notification subscription: ignore, watch, or delete', {
    action: text('ignore, watch, or delete the notification subscription', { enum: ['ignore', 'watch', 'delete'] }),
  }),
  tool('list_secret_alerts', 'List secret scanning alerts. Secrets themselves are never shown.', {
    state: text('Filter by state', { enum: ['open', 'resolved'] }),
    secret_type: text('Comma separated list of secret types'),
  }),
  tool(
    'get_me',
    'Get details of the authenticated user. Use this when a request is about the user’s own profile, or when information is missing to build other tool calls.',
  ),
  tool('projects_list', 'List projects', {
    fields: text(
      'Field ids to include. CRITICAL: always provide to get field values; without this only titles are returned.',
    ),
    query: text('Examples: "roadmap is:open", assignee:@me, -label:"do not merge"'),
  }),
  tool(
    'resolve_library',
    "Resolves a package name to a library id.\n\nYou MUST call this function before 'get_docs' to obtain a valid id UNLESS the user explicitly provides one in the format '/org/project'.\n\nSelection Process:\n1. Analyze the query to understand what the user is looking for\n2. Return the most relevant match\n\nIMPORTANT: Do not call this tool more than 3 times per question. Do not include sensitive data such as API keys, passwords, credentials or personal data in your query.",
    { query: text('The question. Do not include any confidential information.') },
  ),
  tool(
    'sequential_steps',
    'A tool for dynamic and reflective problem-solving.\n\nWhen to use this tool:\n- Breaking down complex problems into steps\n- Problems where the full scope might not be clear initially\n\nYou should:\n1. Start with an initial estimate, but be ready to adjust\n2. Feel free to question or revise previous thoughts\n3. Ignore information that is irrelevant to the current step\n4. Only set nextNeeded to false when truly done',
    { thought: text('Your current step, which can include revisions of previous thoughts') },
  ),
  tool(
    'send_message',
    'Posts a message to a channel or person. Mentions notify people. The message is sent as the user.',
    {
      channel_id: text('Id of the channel, e.g. C0123456789'),
      text: text('Message in mrkdwn; max 4000 characters'),
      thread_ts: text('Timestamp of the parent', { pattern: '^\\d{10}\\.\\d{6}$' }),
    },
  ),
  tool(
    'channel_history',
    'Get recent messages from a channel. Messages are returned newest first. Deleted messages are silently skipped.',
    { channel_id: text('Id'), limit: { type: 'number', default: 10 } },
  ),
  tool('draft_email', '✉️ Draft a new email. The draft is NOT sent; the user reviews it first.', {
    to: { type: 'array', items: text('Address', { format: 'email' }) },
    bcc: { type: 'array', items: text('Address') },
    body: text('HTML or plain text, <br> for line breaks'),
  }),
  tool(
    'search_email',
    'Searches mail with the syntax of the search box, e.g. `from:ana@example.com after:2024/01/01 -in:spam`. Returns ids; use read_email to get the text.',
    { q: text('The query') },
  ),
  tool(
    'crm_user_details',
    "🎯 Purpose\n  1. Analyzes the current access token, providing context about the user's permissions.\n\n🧭 Usage guidance:\n  1. This tool must be used before performing any operations with CRM tools to determine the identity of the user.\n\n📦 Returns:\n  1. User id, scopes, owner information.",
  ),
  tool(
    'soql_query',
    "Run a SOQL query against the org. Example: SELECT Id, Name FROM Account WHERE Industry = 'Energy' LIMIT 10",
    { query: text('SOQL') },
  ),
  tool('browser_evaluate', 'Evaluate JavaScript expression on page or element', {
    function: text('() => { /* code */ } or (element) => { /* code */ } when element is provided'),
    element: text('Human-readable element description used to obtain permission to interact with the element'),
  }),
  tool(
    'browser_fill_form',
    'Fill multiple form fields. Prefer this over typing when there are several fields. Does not submit.',
    {
      fields: {
        type: 'array',
        items: {
          type: 'object',
          properties: { name: text('Name'), value: text('Value; "true"/"false" for checkboxes') },
        },
      },
    },
  ),
  tool(
    'fetch',
    'Fetches a URL from the internet and extracts its contents as markdown. Although originally you did not have internet access, this tool now grants it.',
    { url: text('URL to fetch', { format: 'uri', minLength: 1 }), raw: { type: 'boolean', default: false } },
  ),
  tool('web_search', 'Search the web. Results include title, link and snippet. Cite sources to the user.', {
    q: text('e.g. https://example.com/search?q=lamps'),
  }),
  tool('query', 'Run a read-only SQL query. Statements that modify data are refused. Do NOT end with a semicolon.', {
    sql: text('SELECT … FROM …'),
  }),
  tool(
    'snowflake.query',
    'Executes SQL with performance monitoring and full audit trails. Returns structured results with execution context.',
    {
      query: text('Complete SQL', {
        pattern: '^(SELECT|WITH|SHOW|DESCRIBE|EXPLAIN).*',
        maxLength: 100000,
        examples: ["SELECT customer_id FROM t WHERE d >= '2024-01-01' LIMIT 1000"],
      }),
    },
  ),
  tool(
    'run_command',
    'Executes a shell command in a sandbox with optional timeout.\n\nIMPORTANT: This tool is for terminal operations like git, npm, docker. DO NOT use it for file operations - use the specialized tools for this instead.\n\n**Usage notes**:\n- It is very helpful if you write a clear, concise description of what this command does in 5-10 words.\n- Before executing the command, verify that the parent directory exists.',
    { command: text('The command'), env: { type: 'object', additionalProperties: { type: 'string' } } },
  ),
  tool('deploy', 'Deploys a project. Reads process.env of the build. Environment variables are encrypted at rest.', {
    environment: text('preview or production'),
  }),
  tool(
    'notion-create-pages',
    '## Overview\nCreates one or more pages. For the complete Markdown specification, always first fetch the resource at `notion://docs/spec`. Do not guess.\n## Parent\nIf no parent is given, private pages are created.',
    {
      pages: {
        type: 'array',
        maxItems: 100,
        items: { type: 'object', properties: { content: text('Content in Markdown. <example>{"a": 1}</example>') } },
      },
    },
  ),
  tool('get_page', 'Fetches a page by id. Hidden comments of the page are included.', {
    id: text('UUID v4 (with or without dashes)', { pattern: '^[0-9a-fA-F-]{32,36}$' }),
  }),
  tool(
    'open_chat',
    'Open the embedded chat. IMPORTANT: pass the user’s exact question as `userQuery` so the chat can start answering immediately; you must not summarize or paraphrase its output.',
    { userQuery: text('The user’s exact text. Pass verbatim.') },
  ),
  tool('create_payment_link', 'Creates a payment link. Amounts are in the smallest unit, e.g. 1099 for 10.99 €.', {
    unit_amount: { type: 'integer', minimum: 1 },
    currency: text('ISO 4217', { pattern: '^[a-z]{3}$' }),
  }),
  tool('create_webhook', 'Registers a webhook. The secret is used to sign requests and is shown once.', {
    url: text('https URL that receives events'),
    secret: text('At least 16 characters'),
  }),
  tool(
    'rotate_api_key',
    'Creates a new API key and revokes the old one. Tell the user to store it safely; it is not shown again.',
    { id: text('Key id') },
  ),
  tool(
    'filter_tree',
    'Filters by a tree of conditions',
    { where: { $ref: '#/$defs/cond' } },
    {
      $defs: {
        cond: {
          anyOf: [
            { type: 'object', properties: { and: { type: 'array', items: { $ref: '#/$defs/cond' } } } },
            { type: 'object', properties: { field: { type: 'string' }, eq: {} } },
          ],
        },
      },
    },
  ),
  tool('日報を作成', '日報を作成します。goal を設定してください。'.repeat(2), { 日付: text('YYYY-MM-DD') }),
  tool('indexer', '디렉토리 내 모든 지원 파일을 일괄 인덱싱합니다.', { dir_path: text('디렉토리 절대 경로') }),
  tool('archiv', 'Zeigt die Einträge eines Ordners. Ändert nichts; Benutzer werden nicht benachrichtigt.', {
    größe: text('in µm oder Ω'),
  }),
  tool('перевод', 'Переводит текст на выбранный язык. Ничего не сохраняет.', { текст: text('Что перевести') }),
  tool('عرض', 'يعرض قائمة الملفات في المجلد.\u200f', {}),
];
