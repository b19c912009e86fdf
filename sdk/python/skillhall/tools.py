"""Calls of other skills.

The world needs `import skillhall:tools/call@0.1.0;`, and skill.toml `tools = [{ skill = "org.acme/other", version = "^1" }]` under
`[capabilities]`. Each call goes through every gate of the host.
"""

import json

from componentize_py_types import Err
from wit_world.imports import call as host


class ToolError(Exception):
    """The call gave no result. `error` is what the interface `skillhall:tools/call` says: `host.Error_Denied` and so on."""

    def __init__(self, error):
        super().__init__(str(error))
        self.error = error


def call(skill, tool, **input):
    """Calls a tool of a skill with its parameters by name, and waits. Gives the result as JSON reads it; raises ToolError."""
    try:
        return json.loads(host.call(skill, tool, json.dumps(input)))
    except Err as error:
        raise ToolError(error.value) from None
