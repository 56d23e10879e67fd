// Generated from protocol/ by `npm run types -w npm`. Do not edit.

/**
 * The state of a slot. `Active` means that a key frame was sent, not only that the stream was chosen.
 */
export type SlotState = "active" | "buffering" | "offline" | "error" | "paused";

/**
 * What a slot shows. Optional fields are left out when they do not apply.
 */
export type SlotStatus = { 
/**
 * Index of the slot, as in `multistream/init`.
 */
slot: number, 
/**
 * The resolved stream name, e.g. `camera4-720p`.
 */
stream: string, 
/**
 * The quality as it was asked for.
 */
quality?: string, 
/**
 * The quality being sent, once it is known.
 */
actual_quality?: string, status: SlotState, 
/**
 * A sentence for people. Never contains a secret.
 */
error?: string, 
/**
 * A stable, kebab-case code for programs; see [`ErrorCode`](crate::ErrorCode).
 */
reason?: string, 
/**
 * Of an `error` that answers a request: the request was refused, and the slot goes on as it was before it.
 */
kept?: boolean, 
/**
 * `h264`, `h265`, `vp8`, `vp9` or `av1`.
 */
codec?: string, 
/**
 * Only key frames are sent, because the link is slow: about one in this many milliseconds.
 */
picture_every_ms?: number, 
/**
 * Width of the picture in pixels.
 */
width?: number, 
/**
 * Height of the picture in pixels.
 */
height?: number, 
/**
 * Width to show the picture in, where its samples are not square.
 */
display_width?: number, 
/**
 * Height to show the picture in, where its samples are not square.
 */
display_height?: number, 
/**
 * RTP timestamp of the first key frame that was sent of this stream. A browser reports each picture's RTP timestamp, so a
 * client knows from which picture on it sees this stream.
 */
rtp_timestamp?: number, };

/**
 * What a slot shall show: an element of `slots` in `init` and `layout`.
 */
export type SlotRequest = { 
/**
 * Index of the slot, ≥ 0. The type is signed, so that the server can refuse a negative index with an error that names it.
 */
slot: number, stream: string, quality?: string, };

/**
 * The outcome of a `multistream/keyframe` request.
 */
export type KeyframeStatus = "sent" | "unsupported";

/**
 * An `RTCIceServer` (W3C WebRTC §4.2.4), from the server's config.
 */
export type IceServer = { urls: Array<string>, username?: string, credential?: string, };

/** Everything a client may say, in flat framing. */
export type ClientMessage =
  | ({ type: "multistream/init" } & { request_id: string, slots: Array<SlotRequest>, 
/**
 * The token of an earlier `ready`: resumes that session, if it still exists, and `slots` are ignored.
 */
resume?: string, })
  | ({ type: "multistream/offer" } & { request_id: string, sdp: string, })
  | ({ type: "multistream/switch" } & { request_id: string, slot: number, stream: string, quality?: string, })
  | ({ type: "multistream/layout" } & { request_id: string, slots: Array<SlotRequest>, 
/**
 * All slots change at the same moment, once a key frame of every stream is there, or none does.
 */
atomic?: boolean, })
  | ({ type: "multistream/pause" } & { request_id: string, slot: number, })
  | ({ type: "multistream/resume" } & { request_id: string, slot: number, stream?: string, quality?: string, })
  | ({ type: "multistream/keyframe" } & { request_id: string, slot: number, })
  | ({ type: "multistream/warm" } & { request_id: string, stream: string, quality?: string, 
/**
 * How long to keep it running, in seconds; the server has a limit and a default.
 */
ttl_s?: number, })
  | ({ type: "multistream/priority" } & { request_id: string, slot: number, 
/**
 * On a slow link a slot with a higher number is lowered later. Slots start at 0.
 */
priority: number, })
  | ({ type: "multistream/token" } & { request_id: string, token: string, })
  | ({ type: "multistream/undecodable" } & { request_id: string, slot: number, })
  | ({ type: "multistream/ice" } & { candidate: string, sdpMid?: string, sdpMLineIndex?: number, })
  | ({ type: "multistream/close" } & Record<symbol, never>);

/** Everything the server may say, in flat framing. */
export type ServerMessage =
  | ({ type: "multistream/ready" } & { request_id: string, 
/**
 * How many slots the session has.
 */
slots: number, ice_servers: Array<IceServer>, 
/**
 * The token that resumes this session, with its media untouched, when an `init` on a new WebSocket contains it.
 */
resume?: string, 
/**
 * The session was resumed: it has its connection already, so no offer follows.
 */
resumed?: boolean, })
  | ({ type: "multistream/answer" } & { request_id: string, sdp: string, 
/**
 * One per requested slot, in order of slot index.
 */
slots: Array<SlotStatus>, 
/**
 * Slot index (as a JSON object key) → mid of the m-line that carries it (RFC 8843 §15).
 */
mids: { [key in number]: string }, })
  | ({ type: "multistream/status" } & { slot: number, status: SlotStatus, 
/**
 * The id of the request that this answers.
 */
request_id?: string, })
  | ({ type: "multistream/keyframe" } & { request_id: string, slot: number, status: KeyframeStatus, })
  | ({ type: "multistream/warm" } & { request_id: string, 
/**
 * The resolved name.
 */
stream: string, 
/**
 * How many seconds it is kept running, from now.
 */
ttl_s: number, })
  | ({ type: "multistream/token" } & { request_id: string, 
/**
 * For how many seconds from now it is valid; without it, for ever.
 */
valid_s?: number, })
  | ({ type: "multistream/ice" } & { candidate: string, sdpMid?: string, sdpMLineIndex?: number, })
  | ({ type: "multistream/disconnected" } & { 
/**
 * See [`SessionEnd`]; a string, for a later server may know more reasons.
 */
reason: string, })
  | ({ type: "multistream/error" } & { request_id?: string, 
/**
 * See [`ErrorCode`].
 */
code: string, 
/**
 * A sentence for people. Never contains a secret.
 */
error: string, });

/**
 * `GET /api`: which server this is.
 */
export type About = { 
/**
 * `multistream`.
 */
name: string, 
/**
 * The version of go2rtc's API whose ways to view a stream this server has: its clients refuse one that they do not know.
 */
version: string, 
/**
 * The version of this server.
 */
server_version: string, 
/**
 * How many slots one session may have: a page offers no layout beyond it.
 */
max_slots: number, };

/**
 * The state of a stream.
 */
export type StreamState = "idle" | "starting" | "live" | "offline";

/**
 * A source of a stream.
 */
export type Producer = { 
/**
 * As in the config, secrets masked.
 */
url: string, 
/**
 * Whether the stream's pictures come from this one.
 */
active: boolean, 
/**
 * How the camera is read where that is not as configured: `ffmpeg` in place of this server's RTSP client, or RTP over `udp` or `tcp`.
 */
via?: string, };

/**
 * A viewer of a stream.
 */
export type Consumer = { format_name: string, };

/**
 * A quality of a stream, and the size of its picture.
 */
export type Variant = { 
/**
 * The quality's name, as in a request.
 */
quality: string, 
/**
 * The stream that this quality resolves to.
 */
stream: string, 
/**
 * In pixels; `null` as long as it is not known.
 */
width: number | null, 
/**
 * In pixels; `null` as long as it is not known.
 */
height: number | null, };

/**
 * One stream: what is known of its source, its pictures and its viewers.
 */
export type Stream = { 
/**
 * The sources of the config, in go2rtc's form.
 */
producers: Array<Producer>, 
/**
 * The viewers, in go2rtc's form.
 */
consumers: Array<Consumer>, state: StreamState, 
/**
 * `h264`, `h265`, `vp8`, `vp9` or `av1`.
 */
codec: string | null, 
/**
 * Width of the picture in pixels.
 */
width: number | null, 
/**
 * Height of the picture in pixels.
 */
height: number | null, 
/**
 * Width to show the picture in, where its samples are not square.
 */
display_width?: number, 
/**
 * Height to show the picture in, where its samples are not square.
 */
display_height?: number, 
/**
 * Pictures per second, over the last 5 s.
 */
fps: number, 
/**
 * Frames from one key frame to the next.
 */
gop_length: number | null, 
/**
 * Seconds from one key frame to the next.
 */
gop_duration_s: number | null, 
/**
 * Bits per second, over the last 5 s.
 */
bitrate_bps: number, viewers: number, 
/**
 * Seconds since the last frame came from the source.
 */
last_frame_age_s: number | null, 
/**
 * Why there is no picture: a sentence for people, without secrets.
 */
error: string | null, 
/**
 * What the source sends that browsers cannot show (`B-frames`, `MJPEG`), so that ffmpeg makes H.264 of it.
 */
transcoded?: string, 
/**
 * The qualities that a client can ask for, `native` first.
 */
qualities: Array<string>, 
/**
 * The same qualities with the sizes of their pictures.
 */
variants: Array<Variant>, 
/**
 * How often the source was started again after it had failed.
 */
restarts: number, 
/**
 * Frames that viewers missed because they were too slow.
 */
frames_skipped: number, };

/** `GET /api/streams`: every stream by its name, in the order of the config. */
export type Streams = Record<string, Stream>;

/** The stable codes the server answers with; the sentence beside one is for people. */
export type ServerErrorCode =
  | "bad-message"
  | "unknown-type"
  | "no-session"
  | "session-exists"
  | "already-negotiated"
  | "invalid-slots"
  | "unknown-slot"
  | "invalid-sdp"
  | "not-enough-media"
  | "unsupported-codec"
  | "unknown-stream"
  | "unknown-quality"
  | "superseded"
  | "source-offline"
  | "switch-timeout"
  | "source-invalid"
  | "bandwidth"
  | "codec"
  | "limit-reached"
  | "token-expired"
  | "token-invalid";

/** Why the server ended a session. */
export type SessionEnd =
  | "closed"
  | "connection_lost"
  | "never_connected"
  | "server_shutdown";
