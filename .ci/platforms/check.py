"""Looks at adapters with the platforms' own libraries: their types, their validators, and the requests that they send.

    check.py FOLDER..      every adapter below each folder, as `hall adapters --write` lays them out or as fixtures/adapters keeps them

Then it breaks one adapter of each platform in several ways, and fails unless its library refuses each. docs/adapters.md says what
the libraries look at and what they do not.
"""

import copy
import json
import shutil
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import anthropic
import jsonschema
import openai
import yaml
from anthropic.types import ToolParam
from google import genai
from google.genai import types as gemini_types
from mcp.shared.tool_name_validation import validate_tool_name
from mcp_types import ListToolsResult
from mcp_types._v2026_07_28 import Tool as McpTool
from openai.lib._pydantic import _ensure_strict_json_schema
from openai.types.responses import FunctionTool, FunctionToolParam
from pydantic import TypeAdapter
from skills_ref import validate as validate_skill

FUNCTIONS = ["mcp", "openai", "anthropic", "gemini"]


class Refused(Exception):
    """A library takes it for something else than it is."""


def hold(condition, why):
    if not condition:
        raise Refused(why)


def mcp_tool(tool):
    read = McpTool.model_validate(tool)
    hold(read.model_dump(by_alias=True, exclude_none=True, mode="json") == tool, "the library's Tool has lost something")
    hold(validate_tool_name(tool["name"]).is_valid, "SEP-986: the name of a tool")
    for schema in (tool["inputSchema"], tool["outputSchema"]):
        jsonschema.Draft202012Validator.check_schema(schema)
    listed = ListToolsResult.model_validate({"tools": [tool], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"})
    hold(listed.tools[0].input_schema == tool["inputSchema"], "the older revisions' Tool has another schema")


def openai_tool(tool):
    read = FunctionTool.model_validate(tool)
    TypeAdapter(FunctionToolParam).validate_python(tool)
    hold(not read.model_extra, f"members that the library does not know: {read.model_extra}")
    hold(read.strict is True, "it is not strict")
    schema = copy.deepcopy(tool["parameters"])
    # What the library makes strict is what was strict already.
    hold(_ensure_strict_json_schema(schema, path=(), root=schema) == tool["parameters"], "the library makes another schema of it")
    jsonschema.Draft202012Validator.check_schema(tool["parameters"])


def anthropic_tool(tool):
    TypeAdapter(ToolParam).validate_python(tool)
    hold(set(tool) <= set(ToolParam.__annotations__), "members that the library does not know")
    hold(tool["input_schema"].get("type") == "object", "the input is no object")
    jsonschema.Draft202012Validator.check_schema(tool["input_schema"])
    # Whoever wants it strict can have it: each part has a type that the library knows.
    anthropic.transform_schema(copy.deepcopy(tool["input_schema"]))


def without_tuples(schema):
    """The schema without `prefixItems`, which the API has and the library's JSONSchema has not; its parts stand as alternatives."""
    if isinstance(schema, list):
        return [without_tuples(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = dict(schema)
    if "prefixItems" in schema:
        schema["items"] = {"anyOf": schema.pop("prefixItems")}
    return {key: without_tuples(value) for key, value in schema.items()}


def gemini_tool(tool):
    declaration = gemini_types.FunctionDeclaration.model_validate(tool)
    gemini_types.Tool(function_declarations=[declaration])
    for member in ("parametersJsonSchema", "responseJsonSchema"):
        if member in tool:
            gemini_types.JSONSchema.model_validate(without_tuples(tool[member]))
            jsonschema.Draft202012Validator.check_schema(tool[member])


CHECKS = {"mcp": mcp_tool, "openai": openai_tool, "anthropic": anthropic_tool, "gemini": gemini_tool}


def functions(platform, file):
    tools = file["tools"]
    hold(tools, "there are no tools")
    for tool in tools:
        CHECKS[platform](tool)
    hold(sorted(tool["name"] for tool in tools) == sorted(file["calls"]), "`calls` has other names")


def agent_skill(text, name):
    with tempfile.TemporaryDirectory() as folder:
        skill = Path(folder) / name
        skill.mkdir()
        (skill / "SKILL.md").write_text(text, encoding="utf-8")
        errors = validate_skill(skill)
    hold(not errors, "; ".join(errors))
    # As other readers of YAML have it.
    matter = yaml.safe_load(text.split("---", 2)[1])
    hold(matter["name"] == name and all(isinstance(value, str) for value in matter["metadata"].values()), "the front matter")


def owasp(text):
    # There is no published schema: what the format's page requires, read as the YAML that it is.
    skill = yaml.safe_load(text)
    hold(skill == json.loads(text), "as YAML it says something else")
    required = {"name", "version", "description", "permissions", "risk_tier", "content_hash"}
    hold(required <= set(skill), f"without {required - set(skill)}")
    hold(skill["permissions"]["network"]["deny"] == "*", "what is not allowed is not denied")
    hold({"SOUL.md", "MEMORY.md", "AGENTS.md"} <= set(skill["permissions"]["files"]["deny_write"]) or skill["permissions"]["files"]["write"],
         "identity files are not withheld")
    hold(skill["risk_tier"] in {"L0", "L1", "L2", "L3"}, "the risk tier")
    hold(skill["content_hash"].startswith("sha256:"), "the hash")


class Wire:
    """A server that keeps what it is sent and answers that it is no good: what the libraries make of tools on their way."""

    def __init__(self):
        seen = self.seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                seen.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(400)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def sent(self, send):
        self.seen.clear()
        try:
            send()
        except Exception as error:  # each library has its own for an answer that is no good
            if not self.seen:
                raise Refused(f"nothing was sent: {error}") from error
        return self.seen[0]

    def openai(self, tools):
        client = openai.OpenAI(api_key="none", base_url=self.url, max_retries=0)
        sent = self.sent(lambda: client.responses.create(model="any", input="x", tools=tools))
        hold(sent["tools"] == tools, "openai sends other tools")

    def anthropic(self, tools):
        client = anthropic.Anthropic(api_key="none", base_url=self.url, max_retries=0)
        message = {"role": "user", "content": "x"}
        sent = self.sent(lambda: client.messages.create(model="any", max_tokens=1, messages=[message], tools=tools))
        hold(sent["tools"] == tools, "anthropic sends other tools")

    def gemini(self, tools):
        client = genai.Client(api_key="none", http_options=gemini_types.HttpOptions(base_url=self.url))
        config = gemini_types.GenerateContentConfig(tools=[gemini_types.Tool(function_declarations=tools)])
        sent = self.sent(lambda: client.models.generate_content(model="any", contents="x", config=config))
        # The API reads either spelling of a member's name, and the library mixes them.
        spelled = {"parameters_json_schema": "parametersJsonSchema", "response_json_schema": "responseJsonSchema"}
        declared = [{spelled.get(key, key): value for key, value in tool.items()} for tool in sent["tools"][0]["functionDeclarations"]]
        hold(declared == tools, "google-genai sends other declarations")


def found(folder):
    """Each adapter below a folder: the skill, the platform and the text."""
    for path in sorted(Path(folder).rglob("*")):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if path.name in ("SKILL.md", "agent-skill.md"):
            yield path.parent.name, "agent-skill", text
        elif path.suffix == ".json":
            names = path.stem.split(".")
            skill, platform = names if len(names) == 2 else (path.parent.name, path.stem)
            yield skill, platform, text


def look(skill, platform, text, wire):
    if platform == "agent-skill":
        return agent_skill(text, skill)
    if platform == "owasp":
        return owasp(text)
    file = json.loads(text)
    functions(platform, file)
    if hasattr(wire, platform):
        getattr(wire, platform)(file["tools"])


def set_at(*path_and_value):
    *path, last, value = path_and_value

    def change(file):
        part = file
        for step in path:
            part = part[step]
        part[last] = value

    return change


def drop(*path):
    def change(file):
        part = file
        for step in path[:-1]:
            part = part[step]
        del part[path[-1]]

    return change


def first(platform, *path_and_value):
    return (platform, set_at("tools", 0, *path_and_value))


# One thing changed in the adapter of the real skill, which its platform's library must not take.
BROKEN = [
    first("mcp", "name", "mask text"),
    first("mcp", "name", "x" * 129),
    first("mcp", "title", 3),
    first("mcp", "inputSchema", "type", "array"),
    first("mcp", "inputSchema", "properties", "text", {"type": "text"}),
    first("mcp", "annotations", "readOnlyHint", "perhaps"),
    first("mcp", "more", 1),
    ("mcp", drop("tools", 0, "inputSchema")),
    first("openai", "type", "method"),
    first("openai", "parameters", []),
    first("openai", "parameters", "required", ["text"]),
    first("openai", "parameters", "properties", "text", {"allOf": [{"type": "string"}]}),
    first("openai", "strict", False),
    first("openai", "more", 1),
    ("openai", drop("tools", 0, "name")),
    ("openai", drop("tools", 0, "parameters", "additionalProperties")),
    first("anthropic", "description", 3),
    first("anthropic", "input_schema", "type", "array"),
    first("anthropic", "input_schema", "properties", "text", {"maxLength": 3}),
    first("anthropic", "more", 1),
    ("anthropic", drop("tools", 0, "name")),
    ("anthropic", drop("tools", 0, "input_schema")),
    first("gemini", "more", 1),
    first("gemini", "name", 3),
    first("gemini", "parametersJsonSchema", "type", "record"),
    first("gemini", "parametersJsonSchema", "properties", "text", {"not": {}}),
    first("gemini", "parametersJsonSchema", "properties", "text", {"type": "string", "minLength": "3"}),
    ("owasp", drop("risk_tier")),
    ("owasp", set_at("permissions", "network", "deny", "")),
]
BROKEN_TEXTS = [
    ('name: "redact"', 'name: "Redact"'),
    ('name: "redact"', 'name: "other"'),
    ('name: "redact"', 'name: "re--dact"'),
    ('name: "redact"\n', ""),
    ('name: "redact"', 'name: "redact"\ntools: "all"'),
    ('description: "', 'description: "' + "x" * 1024),
    ('compatibility: "', 'compatibility: "' + "x" * 500),
    ("---\n", ""),
]


def must_be_refused(skill, platform, text, what):
    try:
        look(skill, platform, text, None)
    except Exception:  # pydantic's, jsonschema's, or this file's
        return
    sys.exit(f"adapters: {platform} takes a broken adapter: {what}")


def broken(kept):
    for index, (platform, change) in enumerate(BROKEN):
        file = json.loads(kept[platform])
        change(file)
        must_be_refused("redact", platform, json.dumps(file), f"case {index}")
    for old, new in BROKEN_TEXTS:
        text = kept["agent-skill"]
        assert old in text, old
        must_be_refused("redact", "agent-skill", text.replace(old, new, 1), f"{old!r} as {new[:40]!r}")
    # And whole, they are not.
    for platform, text in kept.items():
        look("redact", platform, text, None)
    return len(BROKEN) + len(BROKEN_TEXTS)


def main():
    wire = Wire()
    count = {}
    kept = {}
    for folder in sys.argv[1:]:
        for skill, platform, text in found(folder):
            try:
                look(skill, platform, text, wire)
            except Exception as error:
                sys.exit(f"adapters: {folder}: {skill}, {platform}: {type(error).__name__}: {error}")
            count[platform] = count.get(platform, 0) + 1
            if skill == "redact":
                kept[platform] = text
    if set(count) != {*FUNCTIONS, "agent-skill", "owasp"}:
        sys.exit(f"adapters: not every platform was looked at: {count}")
    refused = broken(kept)
    print("taken by their platforms' libraries: " + ", ".join(f"{platform} {number}" for platform, number in sorted(count.items())))
    print(f"broken adapters: {refused} refused")


main()
