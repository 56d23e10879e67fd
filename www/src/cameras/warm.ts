// Warms the camera that a pointer or the focus rests on: asks the server to start its stream ahead of time, since it may be
// shown next.
import type { MultiStreamClient } from 'multistream-client';
import { useEffect, useMemo, useRef } from 'react';

/** How long a pointer must rest on a camera before it is warmed. */
const REST_MS = 80;

export interface WarmHandlers {
  onPointerEnter: () => void;
  onPointerLeave: () => void;
  onFocus: () => void;
}

/** Handlers for a camera's button. */
export function useWarm(client: MultiStreamClient | null): (camera: string, quality: string) => WarmHandlers {
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return useMemo(
    () => (camera, quality) => {
      // A failure is ignored: the camera can be shown without being warm, only later.
      const warm = () => void client?.warm(camera, quality).catch(() => {});
      const stop = () => window.clearTimeout(timer.current);
      return {
        onPointerEnter: () => {
          stop();
          timer.current = window.setTimeout(warm, REST_MS);
        },
        onPointerLeave: stop,
        onFocus: warm,
      };
    },
    [client],
  );
}
