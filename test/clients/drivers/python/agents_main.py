"""One session of the OpenAI Agents SDK with an MCP server: its model decides what is called."""

import asyncio
import os
import sys

from agents import Agent, Runner
from agents.mcp import MCPServerSse, MCPServerStreamableHttp


async def main() -> None:
    url, transport = sys.argv[1:3]
    params = {"url": url, "headers": {"Authorization": f"Bearer {os.environ['TOKEN']}"}}
    kind = MCPServerSse if transport == "sse" else MCPServerStreamableHttp
    # The model is told what went wrong in the server's words.
    said = {"failure_error_function": lambda _, error: str(error)}
    async with kind(params, client_session_timeout_seconds=60, **said) as server:
        agent = Agent(name="Caller", model="fake", mcp_servers=[server])
        print((await Runner.run(agent, "Call them.")).final_output)


asyncio.run(main())
