// Mounts the component of docs/vue.md. Nothing listens on the port, so the component shows an error, which becomes the title.
import { createApp } from 'vue';
import Wall from './Wall.vue';

const slots = [{ slot: 0, stream: 'camera1' }];
const app = document.getElementById('app');
createApp(Wall, { url: 'http://127.0.0.1:9', slots }).mount(app);
new MutationObserver(() => {
  document.title = app.querySelector('[role=alert]').textContent;
}).observe(app, { subtree: true, childList: true, characterData: true });
