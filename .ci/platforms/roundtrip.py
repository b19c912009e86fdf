"""Calls a skill of fixtures/roundtrip by `hall mcp` with every value of its table, and compares what comes back; each value is held
against the tool's own schemas, and against those that other platforms are told.

    python roundtrip.py HALL SKILL LANGUAGE

SKILL is installed in the hall of SKILLHALL_HOME. Prints one line, or ends with all that differs.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from jsonschema import Draft202012Validator

HALL, SKILL, LANGUAGE = sys.argv[1:]
HERE = Path(__file__).resolve().parents[2] / "fixtures/roundtrip"
TABLE = json.loads((HERE / "table.json").read_text())
# What a skill sees of the table's first value of everything and of its second; and the values that a language's tool is known to break.
KNOWN = json.loads((HERE / "languages.json").read_text())[LANGUAGE]
# Where a platform's list has what it calls the input.
PLATFORMS = {"mcp": "inputSchema", "openai": "parameters", "anthropic": "input_schema", "gemini": "parametersJsonSchema"}


def hall(*arguments):
    return json.loads(subprocess.run([HALL, "--quiet", *arguments], check=True, capture_output=True, text=True).stdout)


class Server:
    """`hall mcp` over stdio, in raw messages: a client's library could mend what is wrong."""

    def __init__(self):
        self.child = subprocess.Popen([HALL, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.next = 0

    def ask(self, method, params):
        self.next += 1
        about = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "roundtrip", "version": "1"},
        }
        message = {"jsonrpc": "2.0", "id": self.next, "method": method, "params": {**params, "_meta": about}}
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()
        for line in self.child.stdout:
            answer = json.loads(line)
            if answer.get("id") == self.next:
                return answer["result"]
        raise SystemExit("hall mcp has ended")

    def end(self):
        self.child.stdin.close()
        assert self.child.wait(60) == 0


def same(one, other):
    """Whether two values are the same JSON: 1 and 1.0 are one number, and true is none."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


class Tool:
    def __init__(self, name, server, listed, adapters):
        self.name, self.server, self.faults, self.calls = name, server, [], 0
        self.broken, self.known = [], KNOWN.get("broken", {}).get(name, [])
        # The only one of its end: no two tools of the skill end alike.
        [self.called] = [called for called, tool in adapters["mcp"]["calls"].items() if tool == name]
        self.listed = listed[self.called]
        self.given = {}
        for platform, member in PLATFORMS.items():
            [tool] = [tool for tool in adapters[platform]["tools"] if tool["name"] == self.called]
            self.given[platform] = Draft202012Validator(tool.get(member, {}))
        self.takes = Draft202012Validator(self.listed["inputSchema"])
        self.gives = Draft202012Validator(self.listed["outputSchema"])

    def call(self, arguments):
        self.calls += 1
        return self.server.ask("tools/call", {"name": self.called, "arguments": arguments})

    def fault(self, *told):
        self.faults.append(" ".join([self.name + ":", *(part if isinstance(part, str) else json.dumps(part) for part in told)]))

    def taken(self, arguments, strict=True):
        """Whether the schemas that models are told let these arguments through; strict ones want every member."""
        for platform, schema in self.given.items():
            if (strict or platform != "openai") and not schema.is_valid(arguments):
                self.fault("the schema for", platform, "does not take", arguments)
        if not self.takes.is_valid(arguments):
            self.fault("the listed schema does not take", arguments)

    def comes_back(self, arguments, wanted, strict=True):
        self.taken(arguments, strict)
        result = self.call(arguments)
        told = result.get("structuredContent")
        if arguments.get("value") in self.known and (result.get("isError") or not same(told.get("result"), wanted)):
            return self.broken.append(arguments["value"])
        if result.get("isError"):
            return self.fault(arguments, "was refused:", told)
        if not self.gives.is_valid(told):
            self.fault(told, "does not fit the listed schema of results")
        # What is no object is in one: structured content is always an object for older clients.
        value = told if isinstance(wanted, dict) and "result" not in told else told.get("result")
        if not same(value, wanted):
            self.fault(arguments, "came back as", value, "and not as", wanted)
        if isinstance(value, int) and abs(value) > 2**53 - 1:
            self.fault(arguments, "came back as", value, "which would be refused if it were given again")
        if not same(json.loads(result["content"][0]["text"]), told) and not same(json.loads(result["content"][0]["text"]), value):
            self.fault("text and structure of", arguments, "differ:", result)

    def fails(self, arguments, wanted):
        self.taken(arguments)
        result = self.call(arguments)
        told = result["structuredContent"]
        if not result.get("isError") or told.get("code") != "FAIL_SKILL" or "error" not in told or not same(told["error"], wanted):
            self.fault(arguments, "is not the skill's own error", wanted, "but", result)
        elif not self.gives.is_valid(told):
            self.fault(told, "does not fit the listed schema of results")

    def refuses(self, arguments):
        result = self.call(arguments)
        if not result.get("isError") or result["structuredContent"].get("code") != "DENY_INPUT_SCHEMA":
            self.fault(arguments, "is not refused:", result)
        elif self.takes.is_valid(arguments):
            self.fault(arguments, "is refused, and the listed schema takes it")

    def is_beyond(self, arguments):
        """A schema's pattern counts digits; what they stand for is looked at when the value is made."""
        self.taken(arguments)
        result = self.call(arguments)
        if not result.get("isError") or result["structuredContent"].get("code") != "FAIL_VALUE":
            self.fault(arguments, "is not refused:", result)


def play(tool, cases):
    for value in cases.get("same", []):
        tool.comes_back({"value": value}, value)
    for given, wanted in cases.get("changed", []):
        whole = not isinstance(given, dict) or len(given) == 1 or given.keys() == wanted.keys()
        tool.comes_back({"value": given}, wanted, strict=whole)
    for arguments, wanted in cases.get("calls", []):
        tool.comes_back(arguments, wanted, strict=len(arguments) != 1)
    for given, wanted in cases.get("failed", []):
        tool.fails({"value": given}, wanted)
    for value in cases.get("beyond", []):
        tool.is_beyond({"value": value})
    for value in cases.get("refused", []):
        tool.refuses({"value": value})
    if "left_out" in cases:
        tool.comes_back({}, cases["left_out"], strict=False)
    elif "calls" not in cases:
        tool.refuses({})
    if "calls" not in cases:
        tool.refuses({"value": (cases.get("same") or cases["changed"][0])[0], "more": 1})


def main():
    began = time.monotonic()
    adapters = {platform: hall("adapters", SKILL, "--platform", platform) for platform in PLATFORMS}
    server = Server()
    listed = {tool["name"]: tool for tool in server.ask("tools/list", {})["tools"]}
    assert set(adapters["mcp"]["calls"].values()) == {*TABLE, "seen"}, adapters["mcp"]["calls"]
    faults, calls, broken = [], 0, 0
    for name, cases in TABLE.items():
        tool = Tool(name, server, listed, adapters)
        play(tool, cases)
        if tool.broken != tool.known:
            tool.fault("written down as broken, and well:", [value for value in tool.known if value not in tool.broken])
        faults += tool.faults
        calls += tool.calls
        broken += len(tool.broken)
    seen = Tool("seen", server, listed, adapters)
    for value, wanted in zip(TABLE["as-everything"]["same"], KNOWN["seen"], strict=True):
        seen.comes_back({"value": value}, wanted)
    faults += seen.faults
    server.end()
    if faults:
        sys.exit(f"round trip in {LANGUAGE}: {len(faults)} of {calls + seen.calls} calls differ\n" + "\n".join(faults))
    exact = f"{broken} broken as written, all others exact" if broken else "all exact"
    print(f"round trip in {LANGUAGE}: {len(TABLE) + 1} functions, {calls + seen.calls} calls, {exact} ({time.monotonic() - began:.1f} s)")


main()
