// An app that takes the package by a file of its own.
import { MultiStreamClient } from './multistream-client.js';

const client = new MultiStreamClient('http://127.0.0.1:9');
client.connect([{ slot: 0, stream: 'camera1' }]).catch((error) => {
  document.title = `${error.name} ${error.code}`;
});
