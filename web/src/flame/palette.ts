// The colours of the graph: a hue for each kind of module, a shade for each name. Told apart also by
// eyes that do not see red or green: by blue against yellow, by lightness and by strength.
import { computed, signal } from '@preact/signals';

import { theme } from '../theme.ts';
import { KINDS, type Kind } from './graph.ts';

const NAME_SHADES = 8;
const MODULE_SHADES = 3;
const MODULE_HUES = 17; // degrees between two libraries
export const SHADES = NAME_SHADES * MODULE_SHADES;

/** A function's shade: of its name, and a library's of its module. */
export function shadeOf(nameHash: number, moduleHash: number): number {
  return ((moduleHash >>> 7) % MODULE_SHADES) * NAME_SHADES + ((nameHash >>> 7) % NAME_SHADES);
}

export interface Palette {
  /** fills[kind * (SHADES + 1) + shade]; the last shade is of frames merged. */
  fills: string[];
  /** By kind: frames that are not meant now. */
  dim: string[];
  text: string;
  dimText: string;
  match: string;
  matchText: string;
  selected: string;
  hover: string;
  paper: string;
  /** Frames need an outline, because all fills are the same. */
  outlined: boolean;
  selectedFill: string | null;
  selectedText: string | null;
}

/**
 * Hue in degrees and chroma (OKLCH), and how much lighter than the others: found by a search for the
 * largest distance between the two most alike, as eyes of each of the usual kinds see them.
 */
const TONES: Record<Kind, [hue: number, chroma: number, lighter: number]> = {
  none: [80, 0.006, 0.03],
  target: [53, 0.105, -0.02],
  library: [245, 0.1, -0.03],
  runtime: [226, 0.053, -0.005],
  jit: [105, 0.127, 0.058],
  kernel: [304, 0.048, -0.12],
  vdso: [15, 0.062, -0.004],
  anonymous: [171, 0.045, -0.094],
  unknown: [98, 0.011, 0.09],
};

const RUST = { hue: -14, lighter: 0.035 }; // a dark orange is a brown

/** The colour that stands for a kind. */
export const swatch = (of: Palette, kind: Kind) => of.fills[KINDS.indexOf(kind) * (SHADES + 1) + NAME_SHADES + 1]!;

/** OKLCH to sRGB, after Björn Ottosson, "A perceptual color space for image processing" (2020). */
function rgb(lightness: number, chroma: number, hue: number): string {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const bytes = linear.map((value) => {
    const light = Math.min(1, Math.max(0, value));
    return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
  });
  return `rgb(${bytes.join(' ')})`;
}

function plain(dark: boolean): Palette {
  const base = dark ? 0.42 : 0.855;
  const fills: string[] = [];
  const dim: string[] = [];
  for (const kind of KINDS) {
    const [ofKind, chroma, lighter] = TONES[kind];
    const hue = ofKind + (dark && kind === 'target' ? RUST.hue : 0);
    const light = base + (dark ? -lighter * 0.8 + (kind === 'target' ? RUST.lighter : 0) : lighter);
    const spread = kind === 'library' ? MODULE_HUES : 0;
    for (let shade = 0; shade < SHADES; shade++) {
      const ofModule = (Math.floor(shade / NAME_SHADES) - 1) * spread;
      const ofName = shade % NAME_SHADES < NAME_SHADES / 2 ? -6 : 6;
      fills.push(rgb(light + ((shade % 4) - 1.5) * 0.019, chroma, hue + ofModule + ofName));
    }
    fills.push(rgb(light + (dark ? -0.05 : 0.03), chroma * 0.7, hue));
    dim.push(rgb(dark ? 0.27 : 0.945, Math.min(chroma, 0.03), hue));
  }
  return {
    fills, dim, outlined: false, selectedFill: null, selectedText: null,
    text: dark ? '#f5f3ef' : '#211d18', dimText: dark ? '#aaa59c' : '#6a665e',
    match: dark ? '#e254a0' : '#b5176e', matchText: dark ? '#1a0510' : '#ffffff',
    selected: dark ? '#ffffff' : '#111111', hover: dark ? 'rgb(255 255 255 / 22%)' : 'rgb(0 0 0 / 12%)',
    paper: dark ? '#1b1b1e' : '#ffffff',
  };
}

/** The system's own colours, for those who chose them. */
function forced(): Palette {
  const all = (color: string, times: number) => Array<string>(times).fill(color);
  return {
    fills: all('Canvas', KINDS.length * (SHADES + 1)), dim: all('Canvas', KINDS.length), outlined: true,
    text: 'CanvasText', dimText: 'GrayText', match: 'Mark', matchText: 'MarkText', selected: 'Highlight',
    hover: 'transparent', paper: 'Canvas', selectedFill: 'Highlight', selectedText: 'HighlightText',
  };
}

const STILL = matchMedia('(prefers-reduced-motion: reduce)');
const FORCED = matchMedia('(forced-colors: active)');
const isForced = signal(FORCED.matches);
FORCED.addEventListener('change', () => { isForced.value = FORCED.matches; });

export const wantsStillness = () => STILL.matches;

/** The colours of now. */
export const palette = computed<Palette>(() => (isForced.value ? forced() : plain(theme.value === 'dark')));
