// Generated from protocol/ by `npm run types -w npm`. Do not edit.

/**
 * The state of a slot. It speaks of pictures, not of bookkeeping: `Active` means that one was sent.
 */
export type SlotState = "pending" | "active" | "buffering" | "offline" | "error" | "paused" | "inactive";

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
 * `h264`, `h265`, `vp8`, `vp9` or `av1`.
 */
codec?: string, 
/**
 * Width of the picture in pixels.
 */
width?: number, 
/**
 * Height of the picture in pixels.
 */
height?: number, 
/**
 * RTP timestamp of the first key frame that was sent of this stream. A browser tells a picture's RTP timestamp, and so a
 * client knows from which one on it sees this stream.
 */
rtp_timestamp?: number, };

/**
 * What came of a `multistream/keyframe`. Never a claim that is not true.
 */
export type KeyframeStatus = "sent" | "requested" | "unsupported";

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
  | "limit-reached"
  | "internal";
