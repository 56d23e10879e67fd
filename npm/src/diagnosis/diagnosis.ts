// What is found out about a connection that could not be made.
import type { ErrorCode } from '../errors.js';

export interface Diagnosis {
  code: ErrorCode;
  /** A sentence for people. */
  message: string;
  /** What it was seen by. */
  cause?: unknown;
}
