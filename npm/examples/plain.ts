// A dashboard without a framework (the same calls go into a Vue component's onMounted and onUnmounted).
import {
  MultiStreamClient,
  type SlotConfig,
  type SlotStatus,
  type StatusCallback,
} from './multistream-client.js';

export async function mount(root: HTMLElement, url: string, cameras: string[]): Promise<() => void> {
  const slots = cameras.map((stream, slot): SlotConfig => ({ slot, stream }));
  const captions = new Map<number, HTMLElement>();
  const videos = new Map<number, HTMLVideoElement>();
  for (const { slot } of slots) {
    const video = document.createElement('video');
    Object.assign(video, { autoplay: true, muted: true, playsInline: true });
    const caption = document.createElement('p');
    root.append(video, caption);
    videos.set(slot, video);
    captions.set(slot, caption);
  }

  const onStatus: StatusCallback = (slot, status: SlotStatus) => {
    const caption = captions.get(slot);
    if (caption) caption.textContent = `${status.camera}: ${status.error ?? status.status}`;
  };
  const client = new MultiStreamClient(url, { connectionTimeout: 10_000 });
  const tracks: Map<number, MediaStreamTrack> = await client.connect(slots, onStatus);
  for (const [slot, track] of tracks) {
    const video = videos.get(slot);
    if (video) video.srcObject = new MediaStream([track]);
  }
  root.addEventListener('dblclick', async () => {
    if (!client.isConnected) return console.warn(client.wsState, client.pcState);
    await client.switchStream(0, 'camera7', '1080p');
  });
  return () => client.disconnect();
}
