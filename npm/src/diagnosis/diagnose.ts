// What is loaded when a connection could not be made, and not before.
export { whyNotLoaded } from './module.js';
export { whyRefused } from './socket.js';
