// The time since which a camera is offline: that of its last frame, which the server reports.
import type { SlotStatus } from 'multistream-client';
import { useEffect, useState } from 'react';
import { lastFrameAt } from '../api/streams';

export function useOfflineSince(status: SlotStatus | undefined): number | undefined {
  const [since, setSince] = useState<number>();
  const offline = status?.status === 'offline' ? status.stream : undefined;
  useEffect(() => {
    setSince(undefined);
    if (offline === undefined) return;
    const abort = new AbortController();
    lastFrameAt(offline, abort.signal)
      .then((at) => abort.signal.aborted || setSince(at))
      // If the server does not answer, the time stays unknown; the header shows that the connection is lost.
      .catch(() => {});
    return () => abort.abort();
  }, [offline]);
  return since;
}
