import type { FoundThing } from '../../contract/search.ts';
import { type AddCommands, addCommand, type Run, wholeNumber } from '../command.ts';
import type { Paint } from '../output/output.ts';
import { table } from '../output/table.ts';

interface Asked {
  query: string;
  maxResults: number;
}

/** The commands that find things. */
export const addSearchCommands: AddCommands = (program, on) => {
  addCommand(program, 'search', {
    summary: 'Search for servers, tools and agents by name or by what they do',
    examples: ['mcp-gateway search --query "create a ticket"', 'mcp-gateway search --query github --json'],
  })
    .requiredOption('--query <text>', 'words, a name, or a sentence')
    .option('--max-results <number>', 'how many at most', wholeNumber(1, 100), 20)
    .action(on(find));

  addCommand(program, 'server-search', {
    summary: 'Search for servers and tools by name or by what they do',
    examples: [
      'mcp-gateway server-search --query "send a message"',
      'mcp-gateway server-search --query calendar --max-results 3 --metadata-fields team,cost.center --json',
    ],
  })
    .requiredOption('--query <text>', 'words, a name, or a sentence')
    .option('--max-results <number>', 'how many at most', wholeNumber(1, 50), 10)
    .option('--metadata-fields <paths>', 'only these parts of the metadata, separated by commas')
    .action(on(findServers));

  addCommand(program, 'agent-search', {
    summary: 'Search for A2A agents by name or by what they do',
    examples: ['mcp-gateway agent-search --query "book a flight"'],
  })
    .requiredOption('--query <text>', 'words, a name, or a sentence')
    .option('--max-results <number>', 'how many at most', wholeNumber(1, 100), 10)
    .action(on(findAgents));

  addCommand(program, 'agent-discover', {
    summary: 'Find A2A agents that have certain skills',
    examples: ['mcp-gateway agent-discover --skills "Book a flight,Hotels" --tags travel'],
  })
    .requiredOption('--skills <names>', 'names of skills, separated by commas')
    .option('--tags <names>', 'additional tags to match, separated by commas')
    .option('--max-results <number>', 'how many at most', wholeNumber(1, 100), 10)
    .action(on(discover));
};

async function find({ api, output }: Run, { query, maxResults }: Asked): Promise<void> {
  const found = await (await api())('search.find', { query: { q: query, limit: maxResults } });
  output.result(found, (paint, room) => (found.results.length ? foundTable(found.results, room, paint) : ''));
  if (output.json) return;
  if (found.results.length === 0) output.note('Nothing matches.');
  else if (found.has_next) output.note(`The best ${found.results.length} of ${found.total_count}.`);
}

async function findServers(
  { api, output }: Run,
  { query, maxResults, metadataFields }: Asked & { metadataFields?: string },
): Promise<void> {
  const found = await (await api())('search.semantic', {
    body: {
      ...{ query, max_results: maxResults, entity_types: ['mcp_server', 'tool'] },
      ...(metadataFields === undefined ? {} : { metadata_fields: metadataFields }),
    },
  });
  const { servers } = found;
  output.result(found, (paint, room) => {
    if (servers.length === 0) return '';
    const columns = [
      { title: 'FIT', show: percent },
      { title: 'PATH', show: (one: (typeof servers)[number]) => one.path },
      { title: 'NAME', show: (one: (typeof servers)[number]) => one.server_name },
      {
        title: 'TOOLS THAT FIT',
        show: (one: (typeof servers)[number]) =>
          one.matching_tools.map(({ tool_name }) => tool_name).join(', '),
      },
    ];
    return table(servers, columns, room, paint);
  });
  if (!output.json && servers.length === 0) output.note('No servers match.');
}

async function findAgents({ api, output }: Run, { query, maxResults }: Asked): Promise<void> {
  const asked = { query: { query, max_results: maxResults } };
  const found = await (await api())('search.agentsByMeaning', asked);
  output.result(found, (paint, room) => (found.agents.length ? agentTable(found.agents, room, paint) : ''));
  if (!output.json && found.agents.length === 0) output.note('No agents match.');
}

async function discover(
  { api, output }: Run,
  { skills, tags, maxResults }: { skills: string; tags?: string; maxResults: number },
): Promise<void> {
  const found = await (await api())('search.agentsBySkill', {
    query: { max_results: maxResults },
    body: { skills: namesIn(skills), ...(tags === undefined ? {} : { tags: namesIn(tags) }) },
  });
  output.result(found, (paint, room) => (found.agents.length ? agentTable(found.agents, room, paint) : ''));
  if (!output.json && found.agents.length === 0) output.note('No agent has any of these skills.');
}

interface RankedAgent {
  readonly path: string;
  readonly name: string;
  readonly skills: readonly string[];
  readonly relevance_score: number;
}

function agentTable(agents: readonly RankedAgent[], room: number | undefined, paint: Paint): string {
  return table(
    agents,
    [
      { title: 'FIT', show: percent },
      { title: 'PATH', show: (agent) => agent.path },
      { title: 'NAME', show: (agent) => agent.name },
      { title: 'SKILLS', show: (agent) => agent.skills.join(', ') },
    ],
    room,
    paint,
  );
}

function foundTable(found: readonly FoundThing[], room: number | undefined, paint: Paint): string {
  return table(
    found,
    [
      { title: 'FIT', show: ({ score }) => percent({ relevance_score: score }) },
      { title: 'KIND', show: ({ kind }) => kind },
      { title: 'PATH', show: ({ path }) => path },
      { title: 'NAME', show: ({ name }) => name },
      { title: 'DESCRIPTION', show: ({ description }) => description.trim().split('\n')[0] ?? '' },
    ],
    room,
    paint,
  );
}

function percent({ relevance_score }: { relevance_score: number }): string {
  return `${Math.round(relevance_score * 100)} %`;
}

function namesIn(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
