// Tests the React entry without a browser: what is rendered on a server. What it does in browsers, e2e/tiles.spec.ts tests.
import { createElement as h } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import '../dist/inline.js';
import {
  MultiStreamProvider,
  useConnection,
  useMultiStream,
  useSlotStatus,
  useStreams,
  useTile,
} from '../dist/react.js';
import { install, reset, sockets } from './browser.js';

const SLOTS = [{ slot: 0, stream: 'camera1' }];
const URL = 'http://127.0.0.1:1';

function Tile() {
  const { ref, status, live, error } = useTile(0);
  return h('figure', null, h('video', { ref }), JSON.stringify([status ?? null, live, error]));
}

function Bar() {
  const { client, state, error, reconnecting } = useConnection();
  const { streams } = useStreams();
  return h('p', null, [client, state, error, reconnecting, streams, useSlotStatus(0)].map(String).join());
}

beforeEach(install);
afterEach(reset);

test('on a server the provider and its hooks render what is there before a connection, and open none', () => {
  const wall = h(MultiStreamProvider, { url: URL, slots: SLOTS }, h(Tile), h(Bar));
  const html = renderToString(wall);
  expect(html).toContain('<figure><video></video>[null,false,null]</figure>');
  expect(html).toContain('<p>null,idle,null,null,undefined,undefined</p>');
  expect(sockets).toEqual([]);
});

test('on a server useMultiStream renders idle', () => {
  const Wall = () => h('p', null, useMultiStream(URL, SLOTS).state);
  expect(renderToString(h(Wall))).toBe('<p>idle</p>');
  expect(sockets).toEqual([]);
});

test('a hook outside of the provider says what is missing', () => {
  expect(() => renderToString(h(Tile))).toThrow('MultiStreamProvider');
});
