// Values that the host gives to this skill. The world needs `import wasi:config/store@0.2.0-rc.1;`, and skill.toml
// `config = ["name"]` under [capabilities].

import * as store from 'wasi:config/store@0.2.0-rc.1';

/** The value of a name as text, else what is given for none. */
export const get = (name, none = undefined) => store.get(name) ?? none;

/** All values, by name. */
export const all = () => Object.fromEntries(store.getAll());
