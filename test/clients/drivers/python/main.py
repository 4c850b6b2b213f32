"""Drives one Python client library by lines of JSON on standard input; test/clients/driver.ts says which.

The first argument is the library: mcp1, mcp2, fastmcp2 or fastmcp4.
"""

import asyncio
import contextlib
import json
import sys
from urllib.parse import parse_qs, urlsplit

kind = sys.argv[1]
redirect = "http://127.0.0.1:51234/callback"


def say(line):
    print(json.dumps(line), flush=True)


async def heard():
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None


class Storage:
    """What a program keeps of its sign-in; here in memory."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def open_browser(url):
    say({"open": url})


async def returned():
    query = parse_qs(urlsplit((await heard())["returned"]).query)
    code, state = query["code"][0], query["state"][0]
    if kind == "mcp1":
        return code, state
    from mcp.shared.auth import AuthorizationCodeResult

    return AuthorizationCodeResult(code=code, state=state, iss=query["iss"][0])


def sign_in(url):
    if kind.startswith("fastmcp"):
        from fastmcp.client.auth import OAuth

        return OAuth(mcp_url=url)
    from mcp.client.auth import OAuthClientProvider
    from mcp.shared.auth import OAuthClientMetadata

    metadata = OAuthClientMetadata(
        client_name=kind,
        redirect_uris=[redirect],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(
        url, metadata, Storage(), redirect_handler=open_browser, callback_handler=returned
    )


async def connect_fastmcp(stack, asked, headers, auth):
    from fastmcp import Client
    from fastmcp.client.transports import SSETransport, StreamableHttpTransport

    transport = SSETransport if asked["transport"] == "sse" else StreamableHttpTransport
    mode = {} if kind == "fastmcp2" else {"mode": "legacy" if asked["era"] == "2025-11-25" else asked["era"]}
    return await stack.enter_async_context(
        Client(transport(asked["url"], headers=headers, auth=auth), **mode)
    )


async def connect_mcp1(stack, asked, headers, auth):
    from mcp import ClientSession
    from mcp.client.sse import sse_client
    from mcp.client.streamable_http import streamablehttp_client

    opened = sse_client if asked["transport"] == "sse" else streamablehttp_client
    streams = await stack.enter_async_context(opened(asked["url"], headers=headers, auth=auth))
    session = await stack.enter_async_context(ClientSession(streams[0], streams[1]))
    await session.initialize()
    return session


async def connect_mcp2(stack, asked, headers, auth):
    from mcp import Client
    from mcp.client.sse import sse_client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    if asked["transport"] == "sse":
        transport = sse_client(asked["url"], headers=headers, auth=auth)
    else:
        http = await stack.enter_async_context(create_mcp_http_client(headers=headers, auth=auth))
        transport = streamable_http_client(asked["url"], http_client=http)
    mode = "legacy" if asked["era"] == "2025-11-25" else asked["era"]
    return await stack.enter_async_context(Client(transport, mode=mode))


connect = {"mcp1": connect_mcp1, "mcp2": connect_mcp2}.get(kind, connect_fastmcp)


async def everything(client):
    """The names of all that is listed; FastMCP returns plain lists."""

    def names(result, of, key="name"):
        items = result if isinstance(result, list) else getattr(result, of)
        return [str(getattr(item, key)) for item in items]

    return {
        "tools": names(await client.list_tools(), "tools"),
        "prompts": names(await client.list_prompts(), "prompts"),
        "resources": names(await client.list_resources(), "resources", "uri"),
    }


async def main():
    stack, client, auth = contextlib.AsyncExitStack(), None, None
    while asked := await heard():
        try:
            value = None
            if asked["op"] == "connect":
                headers = {"Authorization": f"Bearer {asked['token']}"} if asked.get("token") else {}
                if not headers and asked.get("signIn") and auth is None:
                    auth = sign_in(asked["url"])
                client = await connect(stack, asked, headers, auth if asked.get("signIn") else None)
            elif asked["op"] == "list":
                value = await everything(client)
            elif asked["op"] == "call":
                result = await client.call_tool(asked["name"], asked["arguments"])
                value = " ".join(getattr(part, "text", "") for part in result.content)
            elif asked["op"] == "age" and auth is not None:
                auth.context.token_expiry_time = 1
            elif asked["op"] == "close":
                await stack.aclose()
                stack = contextlib.AsyncExitStack()
            say({"ok": True, "value": value})
        except BaseException as error:  # a session that ends takes its task along: cancelled, or a group
            causes = getattr(error, "exceptions", [error])
            say({"ok": False, "error": "; ".join(f"{type(one).__name__}: {one}" for one in causes)})
            if isinstance(error, asyncio.CancelledError):
                raise


asyncio.run(main())
