// Lines for the receipt of the call. The world needs `import wasi:logging/logging@0.1.0-draft;`, which is no power.

import { log } from 'wasi:logging/logging@0.1.0-draft';

/** The skill cannot do what it was asked. */
export const error = (message) => log('error', '', String(message));
/** The skill goes on, but the caller should know. */
export const warn = (message) => log('warn', '', String(message));
/** What the skill did. */
export const info = (message) => log('info', '', String(message));
/** For the author. */
export const debug = (message) => log('debug', '', String(message));
