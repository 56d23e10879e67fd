// Pages that use none of our code: one camera by go2rtc's messages and requests, and by WHEP, with sound offered before, after or not.
import { expect, rtspStreams, test } from './fixtures';

type Way = 'message' | 'object' | 'post' | 'whep';

/** Runs in the page. Returns the width of the picture, and what became of the session. */
async function view([kinds, way]: [string[], Way]): Promise<{ width: number; deleted?: number }> {
  const pc = new RTCPeerConnection();
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  pc.ontrack = ({ track }) => {
    if (track.kind !== 'video') return;
    video.srcObject = new MediaStream([track]);
    void video.play();
  };
  for (const kind of kinds) pc.addTransceiver(kind, { direction: 'recvonly' });
  await pc.setLocalDescription();
  const offer = pc.localDescription?.sdp ?? '';
  const post = (path: string, type: string, body: string) =>
    fetch(path, { method: 'POST', headers: { 'Content-Type': type }, body });
  let session: string | undefined;
  let answer: string;
  if (way === 'post') {
    const body = JSON.stringify({ type: 'offer', sdp: offer });
    const response = await post('/api/webrtc?src=camera1', 'application/json', body);
    answer = (await response.json()).sdp;
  } else if (way === 'whep') {
    const response = await post('/whep/camera1', 'application/sdp', offer);
    session = new URL(response.headers.get('Location') ?? '', response.url).href;
    answer = await response.text();
  } else {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/ws?src=camera1`);
    await new Promise((open) => socket.addEventListener('open', open));
    const answered = new Promise<string>((done) => socket.addEventListener('message', (e) => done(e.data)));
    const value = way === 'object' ? { type: 'offer', sdp: offer } : offer;
    socket.send(JSON.stringify({ type: way === 'object' ? 'webrtc' : 'webrtc/offer', value }));
    const message = JSON.parse(await answered);
    answer = way === 'object' ? message.value.sdp : message.value;
    // As go2rtc's player does.
    socket.close();
  }
  await pc.setRemoteDescription({ type: 'answer', sdp: answer });
  const end = performance.now() + 15_000;
  while (video.videoWidth === 0 && performance.now() < end) {
    await new Promise((done) => setTimeout(done, 20));
  }
  const deleted = session ? (await fetch(session, { method: 'DELETE' })).status : undefined;
  pc.close();
  return deleted === undefined ? { width: video.videoWidth } : { width: video.videoWidth, deleted };
}

for (const way of ['message', 'object', 'post', 'whep'] as const) {
  test(`a page without our client shows a camera: ${way}`, async ({ cameras, serve, page }) => {
    const server = await serve({ streams: rtspStreams(cameras, 1) });
    await page.goto(`${server.url}/api`);
    for (const kinds of [['video'], ['video', 'audio'], ['audio', 'video']]) {
      const seen = await page.evaluate(view, [kinds, way] as [string[], Way]);
      expect(seen.width, `${way} with ${kinds}`).toBeGreaterThan(100);
      if (way === 'whep') expect(seen.deleted).toBe(200);
    }
  });
}
