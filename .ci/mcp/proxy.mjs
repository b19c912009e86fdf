// Between MCP's conformance suite, which has no token, and `hall mcp --http`, which takes nobody without one: adds that header, and passes
// everything else on as it is.
//
//   node proxy.mjs PORT-OF-THE-SERVER TOKEN-FILE FILE-FOR-ITS-OWN-PORT
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';

const [port, token, told] = process.argv.slice(2);
const authorization = `Bearer ${readFileSync(token, 'utf8').trim()}`;

createServer((from, to) => {
  const options = { host: '127.0.0.1', port, method: from.method, path: from.url, headers: { ...from.headers, authorization } };
  const on = request(options, (answer) => {
    to.writeHead(answer.statusCode, answer.headers);
    answer.pipe(to);
  });
  on.on('error', () => to.destroy());
  to.on('close', () => on.destroy());
  from.pipe(on);
}).listen(0, '127.0.0.1', function () {
  writeFileSync(`${told}.new`, `${this.address().port}`);
  renameSync(`${told}.new`, told);
});
