// Connects as an app would. Nothing listens on the port, so the title is the error that the WebAssembly module reports.
import { MultiStreamClient } from 'multistream-client';

const client = new MultiStreamClient('http://127.0.0.1:9');
client.connect([{ slot: 0, stream: 'camera1' }]).catch((error) => {
  document.title = `${error.name} ${error.code}`;
});
