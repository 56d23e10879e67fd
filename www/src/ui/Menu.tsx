// A button with a menu below it. The menu is a popover in the top layer, so that no tile clips it.
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';

interface Props {
  label: string;
  className?: string;
  /** The content of the button. */
  children: ReactNode;
  choices: readonly { value: string; text: string }[];
  value: string;
  onChoice: (value: string) => void;
}

const MARGIN_PX = 4;

export function Menu({ label, className, children, choices, value, onChoice }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const onToggle = () => {
    const open = list.current?.matches(':popover-open') ?? false;
    setOpen(open);
    if (!open || !list.current || !button.current) return;
    const at = button.current.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = list.current;
    const below = at.bottom + MARGIN_PX;
    const top = below + height > innerHeight ? at.top - height - MARGIN_PX : below;
    list.current.style.top = `${Math.max(MARGIN_PX, top)}px`;
    list.current.style.left = `${Math.max(MARGIN_PX, Math.min(at.right - width, innerWidth - width))}px`;
    list.current.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
  };
  const choose = (value: string) => {
    list.current?.hidePopover();
    button.current?.focus();
    onChoice(value);
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        popoverTarget={id}
      >
        {children}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label}
        className="menu"
        onToggle={onToggle}
        onKeyDown={moveFocus}
      >
        {choices.map(({ value: choice, text }) => (
          <button
            key={choice}
            type="button"
            role="menuitemradio"
            aria-checked={choice === value}
            data-value={choice}
            onClick={() => choose(choice)}
          >
            {text}
          </button>
        ))}
      </div>
    </>
  );
}

/** Moves the focus by the arrow keys among the buttons of the element that handles the event. */
export function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step === undefined || event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  event.stopPropagation();
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  buttons[(at + step + buttons.length) % buttons.length]?.focus();
}
