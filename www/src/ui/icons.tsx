// The icons of the controls, as paths in a box of 16 × 16.

const PATHS = {
  list: 'M2 4h1M2 8h1M2 12h1M6 4h8M6 8h8M6 12h8',
  stats: 'M2 14h12M4 14V9M8 14V3M12 14V6',
  sun: 'M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7',
  help: 'M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M8 12.6v.4',
  play: 'M4 2.5v11l9-5.5z',
  pause: 'M5 3v10M11 3v10',
  camera: 'M1.5 5h3l1.5-2h4l1.5 2h3v8h-13zM8 6.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5',
  enlarge: 'M9.5 2H14v4.5M6.5 14H2V9.5M14 2L9 7M2 14l5-5',
  shrink: 'M14 7H9V2M2 9h5v5M9 7l5-5M7 9l-5 5',
  screen: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  choose: 'M2 3.5h12v9H2zM6.5 6v4l3.5-2z',
  close: 'M3 3l10 10M13 3L3 13',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
