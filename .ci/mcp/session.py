"""A session of the official Python client with `hall mcp`, over stdio and over HTTP, as session.mjs has it.

    python session.py HALL TOKEN-FILE URL MAKE
"""

import asyncio
import os
import sys
from pathlib import Path

import anyio
import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

HALL, TOKEN, URL, MAKE = sys.argv[1:]


async def owner(*words):
    await anyio.run_process([MAKE, *words])


def denied(result, code):
    assert result.is_error, result
    assert result.structured_content["code"] == code, result
    return result.structured_content


async def session(client):
    async def names():
        return [tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools]

    async def call(name, **arguments):
        return await client.call_tool(name, arguments)

    assert client.server_info.name == "skillhall", client.server_info
    assert await names() == ["org_conformance_work", "test_error_handling", "test_simple_text", "test_tool_with_progress"]

    said = await call("test_simple_text")
    assert said.structured_content == {"result": "This is a simple text response for testing."}, said
    assert denied(await call("test_error_handling"), "FAIL_SKILL")["error"] == "This tool intentionally returns an error for testing"
    denied(await call("org_conformance_work", seconds="many"), "DENY_INPUT_SCHEMA")
    try:
        await call("org_conformance_gone")
        raise SystemExit("a tool that is not there was called")
    except MCPError as error:
        assert "there is no tool" in str(error), error

    told = []

    async def progress(now, _total, _message):
        told.append(now)

    await client.call_tool("test_tool_with_progress", {}, progress_callback=progress)
    assert len(told) >= 3 and told == sorted(set(told)), told

    with anyio.move_on_after(0.7) as scope:
        await call("org_conformance_work", seconds=5)
    assert scope.cancelled_caught
    await owner("cancelled", "org.conformance/work")

    await owner("revoke")
    denied(await call("test_simple_text"), "DENY_SKILL_REVOKED")
    assert "test_simple_text" not in await names()
    await owner("restore")
    assert (await call("test_simple_text")).structured_content == said.structured_content

    await owner("ask")
    waits = denied(await call("test_simple_text"), "DENY_REQUIRES_HUMAN")["details"]["approval"]
    assert denied(await call("test_simple_text"), "DENY_REQUIRES_HUMAN_APPROVAL")["details"]["approval"] == waits
    await owner("approve", waits)
    assert (await call("test_simple_text")).structured_content == said.structured_content
    assert denied(await call("test_simple_text"), "DENY_REQUIRES_HUMAN")["details"]["approval"] != waits
    await owner("trust")


async def main():
    stdio = StdioServerParameters(command=HALL, args=["-q", "mcp", "--token-file", TOKEN], env=dict(os.environ))
    async with Client(stdio) as client:
        await session(client)
        print(f"python, stdio, {client.protocol_version}: list, call, deny, progress, cancel, revoked while listed, approve")
    authorization = f"Bearer {Path(TOKEN).read_text().strip()}"
    async with httpx2.AsyncClient(headers={"authorization": authorization}, timeout=60) as http:
        async with Client(streamable_http_client(URL, http_client=http)) as client:
            await session(client)
            print(f"python, http, {client.protocol_version}: list, call, deny, progress, cancel, revoked while listed, approve")


asyncio.run(main())
