// A session of the official TypeScript client with `hall mcp`, over stdio and over HTTP: see .ci/conformance for what stands behind it.
//
//   node session.mjs HALL TOKEN-FILE URL MAKE
//
// MAKE is a command with one argument: what the hall's owner does meanwhile (revoke, restore, ask, approve, trust), or says that a run was stopped (cancelled).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [hall, token, url, make] = process.argv.slice(2);
const owner = (...words) => execFileSync(make, words, { encoding: 'utf8' }).trim();
const authorization = `Bearer ${readFileSync(token, 'utf8').trim()}`;
const transports = {
  stdio: () => new StdioClientTransport({ command: hall, args: ['-q', 'mcp', '--token-file', token], env: process.env, stderr: 'ignore' }),
  http: () => new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization } } }),
};

async function session(client, way) {
  const names = async () => (await client.listTools()).tools.map((tool) => tool.name);
  const call = (name, input = {}, options) => client.callTool({ name, arguments: input }, undefined, options);
  const denied = (result, code) => {
    assert.equal(result.isError, true, JSON.stringify(result));
    assert.equal(result.structuredContent.code, code);
    return result.structuredContent;
  };
  assert.equal(client.getServerVersion().name, 'skillhall');
  assert.deepEqual(await names(), ['org_conformance_work', 'test_error_handling', 'test_simple_text', 'test_tool_with_progress']);

  const said = await call('test_simple_text');
  assert.deepEqual(said.structuredContent, { result: 'This is a simple text response for testing.' });
  assert.equal(denied(await call('test_error_handling'), 'FAIL_SKILL').error, 'This tool intentionally returns an error for testing');
  denied(await call('org_conformance_work', { seconds: 'many' }), 'DENY_INPUT_SCHEMA');
  await assert.rejects(call('org_conformance_gone'), /there is no tool/);

  const told = [];
  await call('test_tool_with_progress', {}, { onprogress: (progress) => told.push(progress.progress) });
  assert.ok(told.length >= 3 && told.every((one, at) => at === 0 || one > told[at - 1]), `${told}`);

  // The client is free again long before the guest would have been done, and the guest is stopped: its record says so. Over HTTP this client
  // keeps its connection, so that its call is not withdrawn (docs/mcp.md).
  const withdrawn = new AbortController();
  setTimeout(() => withdrawn.abort('enough'), 700);
  await assert.rejects(call('org_conformance_work', { seconds: 5 }, { signal: withdrawn.signal }));
  if (way === 'stdio') owner('cancelled', 'org.conformance/work');

  owner('revoke');
  denied(await call('test_simple_text'), 'DENY_SKILL_REVOKED');
  assert.ok(!(await names()).includes('test_simple_text'));
  owner('restore');
  assert.deepEqual((await call('test_simple_text')).structuredContent, said.structuredContent);

  owner('ask');
  const waits = denied(await call('test_simple_text'), 'DENY_REQUIRES_HUMAN').details.approval;
  assert.equal(denied(await call('test_simple_text'), 'DENY_REQUIRES_HUMAN_APPROVAL').details.approval, waits);
  owner('approve', waits);
  assert.deepEqual((await call('test_simple_text')).structuredContent, said.structuredContent);
  assert.notEqual(denied(await call('test_simple_text'), 'DENY_REQUIRES_HUMAN').details.approval, waits);
  owner('trust');
}

for (const [name, transport] of Object.entries(transports)) {
  const client = new Client({ name: 'session', version: '1' });
  await client.connect(transport());
  await session(client, name);
  await client.close();
  console.log(`typescript, ${name}: list, call, deny, progress, cancel, revoked while listed, approve`);
}
