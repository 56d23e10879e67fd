// The query parameters of `stream.html`.
import { AUTO } from '../cameras/choice';

export interface StreamQuery {
  /** `src`; `null` if it is missing. */
  stream: string | null;
  quality: string;
  /** `background=false`: the stream is paused while the page is hidden, as in go2rtc's page of this name. */
  pauseHidden: boolean;
  /** `background=COLOUR`: the colour behind the picture. */
  behind: string | undefined;
  /** Whether the tile shows its tools: always, never, or when a pointer is over it. */
  controls: 'always' | 'never' | 'hover';
}

const SWITCH: Record<string, boolean> = { true: true, '1': true, false: false, '0': false };

export function readStreamQuery(query: URLSearchParams): StreamQuery {
  const background = query.get('background') ?? '';
  const controls = SWITCH[query.get('controls') ?? ''];
  return {
    stream: query.get('src') || null,
    quality: query.get('quality') || AUTO,
    pauseHidden: SWITCH[background] === false,
    behind: CSS.supports('color', background) ? background : undefined,
    controls: controls === undefined ? 'hover' : controls ? 'always' : 'never',
  };
}
