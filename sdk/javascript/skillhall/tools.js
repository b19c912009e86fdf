// Calls of other skills. The world needs `import skillhall:tools/call@0.1.0;`, and skill.toml
// `tools = [{ skill = "org.acme/other", version = "^1" }]` under [capabilities]. Each call goes through every gate of the host.

import * as host from 'skillhall:tools/call@0.1.0';

/** The call gave no result. `payload` is what the interface skillhall:tools/call says: `{ tag: 'denied', val: { code, .. } }` and so on. */
export class ToolError extends Error {
  constructor(payload) {
    super(`the call of the other skill gave no result: ${JSON.stringify(payload)}`);
    this.name = 'ToolError';
    this.payload = payload;
  }
}

/** Calls a tool of a skill with an object of its parameters, and gives its result. Throws ToolError. */
export function call(skill, tool, input) {
  try {
    return JSON.parse(host.call(skill, tool, JSON.stringify(input)));
  } catch (error) {
    throw error?.payload ? new ToolError(error.payload) : error;
  }
}
