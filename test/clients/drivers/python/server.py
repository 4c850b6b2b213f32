"""A server of 2025-11-25 and before, by the library of one of the clients: mcp1 or fastmcp2. Arguments: which, and the port."""

import sys

kind, port = sys.argv[1], int(sys.argv[2])
if kind == "mcp1":
    from mcp.server.fastmcp import FastMCP

    server = FastMCP(kind, host="127.0.0.1", port=port)
    how = {"transport": "streamable-http"}
else:
    from fastmcp import FastMCP

    server = FastMCP(kind)
    how = {"transport": "http", "host": "127.0.0.1", "port": port}


@server.tool()
def say(text: str) -> str:
    """Says a text."""
    return f"{kind} says {text}"


server.run(**how)
