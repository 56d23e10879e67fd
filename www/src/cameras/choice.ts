// The camera and the quality that the user chose for a cell.

export interface Choice {
  stream: string;
  /** `auto`, `native`, or one of the camera's qualities. */
  quality: string;
}

/** The quality that the client fits to the picture's size. */
export const AUTO = 'auto';
