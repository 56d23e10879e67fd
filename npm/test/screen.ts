// Fakes of the page, the videos and the observers, to hide and resize videos without a browser.
import { vi } from 'vitest';

class FakeObserver {
  static readonly all: FakeObserver[] = [];
  readonly targets = new Set<FakeVideo>();

  constructor(readonly tell: (entries: { target: FakeVideo; isIntersecting: boolean }[]) => void) {
    FakeObserver.all.push(this);
  }

  observe(video: FakeVideo): void {
    this.targets.add(video);
  }

  unobserve(video: FakeVideo): void {
    this.targets.delete(video);
  }
}

export class FakeVideo extends EventTarget {
  isConnected = true;
  srcObject = null;
  clientWidth = 1280;
  clientHeight = 720;
  get ownerDocument(): FakePage {
    return page;
  }

  /** This fake as the type that the code under test takes. */
  get element(): HTMLVideoElement {
    return this as unknown as HTMLVideoElement;
  }

  /** Moves it into the viewport or out of it. */
  scroll(isIntersecting: boolean): void {
    for (const observer of FakeObserver.all) {
      if (observer.targets.has(this)) observer.tell([{ target: this, isIntersecting }]);
    }
  }

  resize(width: number, height: number): void {
    this.clientWidth = width;
    this.clientHeight = height;
    this.scroll(true);
  }

  pictureInPicture(is: boolean): void {
    page.pictureInPictureElement = is ? this : null;
    this.dispatchEvent(new Event(is ? 'enterpictureinpicture' : 'leavepictureinpicture'));
  }
}

class FakePage extends EventTarget {
  visibilityState = 'visible';
  pictureInPictureElement: FakeVideo | null = null;

  show(isVisible: boolean): void {
    this.visibilityState = isVisible ? 'visible' : 'hidden';
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

export let page = new FakePage();

/** Installs the fakes as globals. */
export function installScreen(): void {
  FakeObserver.all.length = 0;
  page = new FakePage();
  const window = Object.assign(new EventTarget(), { devicePixelRatio: 1 });
  vi.stubGlobal('document', page);
  vi.stubGlobal('window', window);
  vi.stubGlobal('IntersectionObserver', FakeObserver);
  vi.stubGlobal('ResizeObserver', FakeObserver);
  vi.stubGlobal('getComputedStyle', () => ({ objectFit: 'contain' }));
}
