// A sheet over the page. The browser keeps the focus inside, closes it with Esc, and gives the focus back.
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
    // Where one is now, rather than at the first button.
    dialog.current?.querySelector<HTMLElement>('.cameras [aria-pressed="true"]')?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={className}
      aria-label={label}
      onClose={onClose}
      // A click beside it.
      onClick={(event) => event.target === dialog.current && onClose()}
      onKeyDown={moveFocus}
    >
      {children}
    </dialog>
  );
}
