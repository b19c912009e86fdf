// Secrets that have to be computed with, such as a key to sign by. Most secrets never come to a skill: the host puts them into its requests
// (`secrets = [{ name, for, header }]` in skill.toml). To see one, the world needs `import skillhall:secrets/reveal@0.1.0;`, and
// skill.toml `reveal = true` in the secret's entry.

import * as reveal from 'skillhall:secrets/reveal@0.1.0';

/** The secret's value, or undefined if there is none of that name or it is not for this skill to see. */
export const get = (name) => reveal.get(name);
