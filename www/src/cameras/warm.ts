// Starts what may be shown next: a camera that a pointer or the focus rests on.
import type { MultiStreamClient } from 'multistream-client';
import { useEffect, useMemo, useRef } from 'react';

/** A pointer that only passes by means nothing. */
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
      // Only a favour: showing the camera works without it.
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
