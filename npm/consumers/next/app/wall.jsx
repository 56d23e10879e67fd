'use client';
// As an app would; the port answers nobody, so the WebAssembly module has to say so itself.
import { useMultiStream } from 'multistream-client/react';
import { useEffect } from 'react';

const ONCE = { retryConnect: false };

export function Wall({ url, slots }) {
  const { videoRef, error } = useMultiStream(url, slots, ONCE);
  useEffect(() => {
    if (error) document.title = `${error.name} ${error.code}`;
  }, [error]);
  return slots.map(({ slot, stream }) => <video key={slot} ref={videoRef(slot)} title={stream} muted />);
}
