// The dialog of a tile: which camera, in which quality.
import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { Camera } from './streams';
import type { Choice } from './wall-state';

interface Props {
  slot: number;
  choice: Choice | undefined;
  cameras: readonly Camera[];
  onChoice: (choice: Choice) => void;
  onClose: () => void;
}

export function Chooser({ slot, choice, cameras, onChoice, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    // Modal: the browser keeps the focus inside and closes it with Esc.
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>('.cameras [aria-pressed="true"]')?.focus();
  }, []);
  const qualities = cameras.find(({ name }) => name === choice?.stream)?.qualities ?? [];
  const choose = (choice: Choice) => {
    onChoice(choice);
    onClose();
  };
  return (
    <dialog
      ref={dialog}
      className="chooser"
      aria-label={`Tile ${slot + 1}`}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
      onKeyDown={moveFocus}
    >
      <h2>Tile {slot + 1}</h2>
      {choice && qualities.length > 1 && (
        <section>
          <h3>Quality</h3>
          <div className="qualities">
            {qualities.map((quality) => (
              <button
                key={quality}
                type="button"
                data-quality={quality}
                aria-pressed={quality === choice.quality}
                onClick={() => choose({ stream: choice.stream, quality })}
              >
                {quality}
              </button>
            ))}
          </div>
        </section>
      )}
      <section>
        <h3>Camera</h3>
        <div className="cameras">
          {cameras.map(({ name, qualities }) => (
            <button
              key={name}
              type="button"
              data-camera={name}
              aria-pressed={name === choice?.stream}
              onClick={() =>
                // The same quality, where the other camera has it.
                choose({
                  stream: name,
                  quality: choice && qualities.includes(choice.quality) ? choice.quality : 'native',
                })
              }
            >
              {name}
            </button>
          ))}
        </div>
      </section>
    </dialog>
  );
}

/** Arrow keys go through the buttons. */
function moveFocus(event: KeyboardEvent<HTMLDialogElement>): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  buttons[(at + step + buttons.length) % buttons.length]?.focus();
}
