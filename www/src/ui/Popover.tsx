// A dialog beside an element, without a backdrop: a click elsewhere closes it and does what it would have done without it.
import { type ReactNode, useEffect, useRef } from 'react';
import { moveFocus } from './Menu';

interface Props {
  label: string;
  className: string;
  at: HTMLElement | null;
  onClose: () => void;
  children: ReactNode;
}

const MARGIN_PX = 8;

export function Popover({ label, className, at, onClose, children }: Props) {
  const popover = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = popover.current;
    if (!element) return;
    if (!element.matches(':popover-open')) element.showPopover();
    place(element, at);
    // The focus starts on the current camera rather than on the first button.
    const find = (buttons: string) => element.querySelector<HTMLElement>(buttons);
    (find('.cameras [aria-pressed="true"]') ?? find('.cameras button'))?.focus();
  }, [at]);
  return (
    <div
      ref={popover}
      popover="auto"
      role="dialog"
      aria-label={label}
      className={className}
      onToggle={(event) => event.newState === 'closed' && onClose()}
      onKeyDown={moveFocus}
    >
      {children}
    </div>
  );
}

/** Puts it beside the element if there is room, so that its picture stays in view, else over it. */
function place(popover: HTMLElement, element: HTMLElement | null): void {
  const at = element?.getBoundingClientRect() ?? new DOMRect(0, 0, innerWidth, innerHeight);
  const { offsetWidth: width, offsetHeight: height } = popover;
  const right = at.right + MARGIN_PX;
  const left = at.left - width - MARGIN_PX;
  const over = at.left + MARGIN_PX;
  const beside = left >= MARGIN_PX ? left : over;
  const x = right + width <= innerWidth - MARGIN_PX ? right : beside;
  popover.style.left = `${Math.max(MARGIN_PX, Math.min(x, innerWidth - width - MARGIN_PX))}px`;
  const y = at.top + MARGIN_PX;
  popover.style.top = `${Math.max(MARGIN_PX, Math.min(y, innerHeight - height - MARGIN_PX))}px`;
}
