// As an app would; the port answers nobody, so the WebAssembly module has to say so itself.
import { MultiStreamClient } from 'multistream-client';

const client = new MultiStreamClient('http://127.0.0.1:9');
client.connect([{ slot: 0, stream: 'camera1' }]).catch((error) => {
  document.title = `${error.name} ${error.code}`;
});
