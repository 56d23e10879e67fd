// Asks for the server's token where the server refuses the page without one.
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { enter, useAccess } from '../api/access';

const WRONG = 'This is not the token of this server.';

/** Shows the page, and in its place the form when the server asks for a token. */
export function WithToken({ children }: { children: ReactNode }) {
  return useAccess().refused === undefined ? children : <TokenForm />;
}

function TokenForm() {
  const { refused } = useAccess();
  const input = useRef<HTMLInputElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState(refused === 'wrong' ? WRONG : '');
  const [id, messageId] = [useId(), useId()];
  useEffect(() => input.current?.focus(), []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const token = input.current?.value.trim();
    if (isBusy || !token) return;
    setBusy(true);
    setFailure('');
    try {
      // The page replaces this form then.
      if (await enter(token)) return;
      setFailure(WRONG);
    } catch {
      setFailure('The server does not answer. Try again.');
    }
    setBusy(false);
    input.current?.focus();
    input.current?.select();
  };

  return (
    <main className="empty token">
      <h1>This server asks for its token</h1>
      <form onSubmit={submit}>
        <label htmlFor={id}>Token</label>
        <input
          ref={input}
          id={id}
          type="password"
          name="token"
          autoComplete="current-password"
          required
          aria-invalid={failure === WRONG}
          aria-describedby={messageId}
        />
        <button type="submit" aria-disabled={isBusy}>
          Open
        </button>
        <p id={messageId} className="bad" role="alert">
          {failure}
        </p>
      </form>
      <p className="hint">
        It is <code>api.token</code> in the server's configuration. This tab keeps it until it is closed.
      </p>
    </main>
  );
}
