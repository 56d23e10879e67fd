// Settings of the page: the tour's interval is in the address, so that it can be shared; the open list is in the browser.
import { useState } from 'react';
import { readAddress, writeAddress } from '../ui/address';

const LIST_KEY = 'multistream.list';
/** The width from which the list fits beside the tiles. */
const ROOM_FOR_LIST = '(min-width: 900px)';

/** Whether the list of cameras is open. */
export function useListOpen(): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState(() => {
    const stored = localStorage.getItem(LIST_KEY);
    return matchMedia(ROOM_FOR_LIST).matches && stored !== 'closed';
  });
  return [
    open,
    (open) => {
      if (matchMedia(ROOM_FOR_LIST).matches) localStorage.setItem(LIST_KEY, open ? 'open' : 'closed');
      setOpen(open);
    },
  ];
}

/** The tour's interval in seconds, from `?tour=10`; `null`: no tour. */
export function useTourInterval(): [number | null, (seconds: number | null) => void] {
  const [seconds, setSeconds] = useState<number | null>(() => {
    const asked = Number(readAddress().get('tour'));
    return asked >= 1 ? asked : null;
  });
  return [
    seconds,
    (seconds) => {
      writeAddress({ tour: seconds === null ? null : String(seconds) });
      setSeconds(seconds);
    },
  ];
}
