// Tests that each bad message on the WebSocket is answered with an error that names it, and that sessions are not affected.
import type { ClientMessage, ServerErrorCode, SlotRequest } from '../npm/src/generated/protocol';
import { expect, test } from './fixtures';
import { type Message, Socket } from './socket';

const STREAMS = { idle: 'rtsp://127.0.0.1:1/' };

const init = (slots: SlotRequest[]): ClientMessage => ({
  type: 'multistream/init',
  request_id: 'i',
  slots,
});
const slot = (number: number): SlotRequest => ({ slot: number, stream: 'idle' });

const H264 = 'a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f';

function sdp(kind: 'video' | 'audio', count: number): string {
  const section = (mid: number): string[] => [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF 96`,
    'c=IN IP4 0.0.0.0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuvwx',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    'a=setup:actpass',
    `a=mid:${mid}`,
    'a=recvonly',
    'a=rtcp-mux',
    ...(kind === 'audio' ? ['a=rtpmap:96 opus/48000/2'] : ['a=rtpmap:96 H264/90000', H264]),
  ];
  const mids = Array.from({ length: count }, (_, mid) => mid);
  const session = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`];
  return `${[...session, ...mids.flatMap(section)].join('\r\n')}\r\n`;
}

function expectError(answer: Message, code: ServerErrorCode, requestId?: string): void {
  expect(answer).toMatchObject({ type: 'multistream/error', code });
  expect(String(answer.error).length).toBeGreaterThan(10);
  if (requestId !== undefined) expect(answer).toMatchObject({ request_id: requestId });
}

test('each message that is not of the protocol is answered with an error', async ({ serve }) => {
  const socket = await Socket.open((await serve({ streams: STREAMS })).webSocketUrl);
  expectError(await socket.ask('not JSON'), 'bad-message');
  expectError(await socket.ask('[1, 2]'), 'bad-message');
  expectError(await socket.ask('{"slot": 1}'), 'bad-message');
  expectError(await socket.ask(Buffer.from([1, 2, 3])), 'bad-message');
  expectError(await socket.ask({ type: 'multistream/dance', request_id: 'd' }), 'unknown-type', 'd');
  expectError(
    await socket.ask({ type: 'multistream/switch', request_id: 's', slot: 'one' }),
    'bad-message',
    's',
  );
  // The socket still works after that.
  expect(await socket.ask(init([slot(0)]))).toMatchObject({
    type: 'multistream/ready',
    request_id: 'i',
    slots: 1,
  });
  socket.close();
});

test('slots that are empty, too many, repeated or negative are refused', async ({ serve }) => {
  const server = await serve({ streams: STREAMS, multistream: { max_slots: 4 } });
  const socket = await Socket.open(server.webSocketUrl);
  for (const slots of [[], [0, 1, 2, 3, 4].map(slot), [slot(1), slot(1)], [slot(-1)]]) {
    expectError(await socket.ask(init(slots)), 'invalid-slots', 'i');
  }
  expect(await socket.ask(init([0, 1, 2, 3].map(slot)))).toMatchObject({
    type: 'multistream/ready',
    slots: 4,
  });
  socket.close();
});

test('messages out of order are refused', async ({ serve }) => {
  const socket = await Socket.open((await serve({ streams: STREAMS })).webSocketUrl);
  const offer: ClientMessage = { type: 'multistream/offer', request_id: 'o', sdp: sdp('video', 1) };
  expectError(await socket.ask(offer), 'no-session', 'o');
  const change: ClientMessage = { type: 'multistream/switch', request_id: 's', slot: 0, stream: 'idle' };
  expectError(await socket.ask(change), 'no-session', 's');
  await socket.ask(init([slot(0)]));
  expectError(await socket.ask(init([slot(0)])), 'session-exists', 'i');
  expectError(await socket.ask({ ...change, slot: 7 }), 'unknown-slot', 's');
  socket.close();
});

test('an offer that cannot be answered is refused, and a good one after it is answered', async ({
  serve,
}) => {
  const socket = await Socket.open((await serve({ streams: STREAMS })).webSocketUrl);
  await socket.ask(init([slot(0), slot(1)]));
  const offer = (text: string): Promise<Message> =>
    socket.ask({ type: 'multistream/offer', request_id: 'o', sdp: text });
  expectError(await offer('garbage'), 'invalid-sdp', 'o');
  expectError(await offer(sdp('audio', 2)), 'not-enough-media', 'o');
  expectError(await offer(sdp('video', 1)), 'not-enough-media', 'o');
  const answer = await offer(sdp('video', 2));
  expect(answer).toMatchObject({ type: 'multistream/answer', request_id: 'o', mids: { 0: '0', 1: '1' } });
  expect(answer.slots).toHaveLength(2);
  socket.close();
});

test('a message that is too long closes its socket with code 1009, and no other', async ({ serve }) => {
  const server = await serve({ streams: STREAMS });
  const socket = await Socket.open(server.webSocketUrl);
  const [other, closed] = [await Socket.open(server.webSocketUrl), socket.closed()];
  socket.send({ type: 'multistream/offer', sdp: 'x'.repeat(1 << 20) });
  // Whoever still writes when the server closes may not read the reason.
  expect([1009, 1006]).toContain(await closed);
  expect(await other.ask(init([slot(0)]))).toMatchObject({ type: 'multistream/ready' });
  other.close();
});

test('a flood of messages closes the socket with code 1008', async ({ serve }) => {
  const server = await serve({ streams: STREAMS });
  const socket = await Socket.open(server.webSocketUrl);
  const closed = socket.closed();
  for (let n = 0; n < 5_000; n++) socket.send({ type: 'multistream/keyframe', slot: 0 });
  expect(await closed).toBe(1008);
});

test('a message in enveloped framing is answered in enveloped framing', async ({ serve }) => {
  const server = await serve({ streams: STREAMS });
  const socket = await Socket.open(server.webSocketUrl);
  const ready = await socket.ask({ type: 'multistream/init', value: { request_id: 'e', slots: [slot(0)] } });
  expect(ready).toMatchObject({ type: 'multistream/ready', value: { request_id: 'e', slots: 1 } });
  socket.close();
});
