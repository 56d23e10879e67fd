// The theme, dark or light: from the address, else the last choice in this browser, else the system's setting.
import { useEffect, useState } from 'react';
import { readAddress, writeAddress } from './address';

export type Theme = 'dark' | 'light';

const KEY = 'multistream.theme';

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const asked = readAddress().get('theme') ?? localStorage.getItem(KEY);
    if (asked === 'dark' || asked === 'light') return asked;
    return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  });
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const toggle = () => {
    const next = theme === 'dark' ? 'light' : 'dark';
    localStorage.setItem(KEY, next);
    writeAddress({ theme: next });
    setTheme(next);
  };
  return [theme, toggle];
}
