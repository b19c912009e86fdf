// What a skill in JavaScript needs beside its own functions. The other modules of this folder (http, log, config, secrets, tools) import an
// interface each, which the world in wit/skill.wit has to import, too; so import only those that the skill uses.

// The end of a traceback says what happened.
const LONGEST = 16_000;

/**
 * The functions of an interface, with a mistake in one of them handed back as the skill's own error. What a function throws on purpose is
 * a value of its error type, such as `{ tag: 'empty' }`, and stays what it is; a real Error becomes what `error` makes of its traceback.
 *
 * @template {Record<string, (...given: any[]) => any>} T
 * @param {T} functions
 * @param {(traceback: string) => unknown} error
 * @returns {T}
 */
export function traced(functions, error) {
  const guarded = {};
  for (const [name, run] of Object.entries(functions)) {
    guarded[name] = (...given) => {
      try {
        return run(...given);
      } catch (thrown) {
        throw thrown instanceof Error ? error(traceback(thrown)) : thrown;
      }
    };
  }
  return /** @type {T} */ (guarded);
}

function traceback(error) {
  const head = `${error.name}: ${error.message}`;
  const stack = String(error.stack ?? '');
  return (stack.startsWith(head) ? stack : `${head}\n${stack}`).slice(0, LONGEST);
}
