// Starts and turns a double of Zendesk's OAuth token API in tests. `index.d.ts` says what
// everything takes, resolves to and throws.

export { BinaryNotFound, ControlError, StartError, TwinError } from './errors.js';
export { findBinary } from './process.js';
export { startTwin, twinAt } from './twin.js';
