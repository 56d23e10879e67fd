// The page of a server without cameras.

const EXAMPLE = `streams:
  front-door: rtsp://user:password@192.168.1.20/stream1
  front-door-360p: ffmpeg:front-door#video=h264#height=360
  garage: rtsp://192.168.1.21/h264`;

export function EmptyState() {
  return (
    <main className="empty">
      <h1>No cameras yet</h1>
      <p>
        Name them in the server's configuration file, usually <code>multistream.yaml</code>, and start it
        again:
      </p>
      <pre>{EXAMPLE}</pre>
      <p>
        A name like <code>front-door-360p</code> is a quality of <code>front-door</code>.{' '}
        <code>multistream check</code> says what is wrong with a file, line by line.
      </p>
    </main>
  );
}
