// A modal dialog. The browser keeps the focus inside, closes it with Esc, and restores the focus afterwards.
import { type ReactNode, useEffect, useRef } from 'react';
import { moveFocus } from './Menu';

interface Props {
  label: string;
  className: string;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ label, className, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // The focus starts on the current camera rather than on the first button.
    dialog.current?.querySelector<HTMLElement>('.cameras [aria-pressed="true"]')?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-label={label}
      onClose={onClose}
      // A click on the backdrop.
      onClick={(event) => event.target === dialog.current && onClose()}
      onKeyDown={moveFocus}
    >
      {children}
    </dialog>
  );
}
