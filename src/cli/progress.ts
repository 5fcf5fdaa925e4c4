// The progress line of long work: redrawn on a terminal, silent elsewhere.

import type { Io } from './verb.ts';

export interface Progress {
  /** Redraws the line; cheap to call often. */
  show(line: string): void;
  /** Prints a line above the progress line. */
  say(line: string): void;
  clear(): void;
}

const REDRAW_MS = 120;

export function createProgress(io: Pick<Io, 'stderr'>, enabled: boolean): Progress {
  const { stderr } = io;
  const live = enabled && stderr.isTTY === true;
  let last = 0;
  let shown = '';
  const erase = (): void => {
    if (shown !== '') stderr.write('\r\x1b[K');
  };
  return {
    show(line) {
      const now = performance.now();
      if (!live || now - last < REDRAW_MS) return;
      last = now;
      erase();
      shown = line;
      stderr.write(line);
    },
    say(line) {
      if (!enabled) return;
      erase();
      stderr.write(`${line}\n`);
      if (live && shown !== '') stderr.write(shown);
    },
    clear() {
      erase();
      shown = '';
    },
  };
}

/** 1234567 → '1,234,567'. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Seconds → '4.2 s', '3 min 5 s'. */
export function seconds(value: number): string {
  if (value < 60) return `${value.toFixed(1)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

const COLOURS = { red: 31, yellow: 33, green: 32, cyan: 36, dim: 2, bold: 1 } as const;

/** Text in colour, where the terminal shows colours. */
export function paint(colour: keyof typeof COLOURS, text: string, terminal: boolean): string {
  return terminal ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text;
}
