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
  /** What the address asks for in go2rtc's words and does not get: sentences for people. */
  lacking: string[];
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
    lacking: lacking(query),
    controls: controls === undefined ? 'hover' : controls ? 'always' : 'never',
  };
}

/** `mode` and `media` of go2rtc's page of this name, each a list with commas. Pictures come by WebRTC in any case. */
function lacking(query: URLSearchParams): string[] {
  const words = (name: string) => (query.get(name) ?? '').split(',').filter((word) => word !== '');
  const [modes, media] = [words('mode'), words('media')];
  const said: string[] = [];
  if (modes.length > 0 && !modes.some((mode) => mode.startsWith('webrtc'))) {
    said.push(`mode=${modes.join(',')} is not available here: the picture comes by WebRTC.`);
  }
  if (media.length > 0 && !media.includes('video')) {
    said.push(`media=${media.join(',')} is not available here: the picture is shown, without sound.`);
  }
  return said;
}
