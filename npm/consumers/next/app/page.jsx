// Rendered on the server; the grid needs no 'use client' of the app's own.
import { CameraGrid } from 'multistream-client/react';
import { Wall } from './wall';

const URL = 'http://127.0.0.1:9';
const SLOTS = [{ slot: 0, stream: 'camera1' }];

export default function Page() {
  return (
    <main>
      <CameraGrid url={URL} slots={SLOTS} />
      <Wall url={URL} slots={SLOTS} />
    </main>
  );
}
