// One difference: its sign, its size as a bar to the left or right, and whether it can be chance.
import { points } from '../format.ts';
import type { DiffRow } from '../types.ts';

function pValue(p: number): string {
  return p < 0.0001 ? '< 0.0001' : p.toFixed(4);
}

export function explain(row: DiffRow): string {
  if (row.test === 'none') return 'One side has no samples: nothing can be said.';
  const test = row.test === 'z' ? 'z test of two proportions' : 'Fisher’s exact test';
  const verdict = row.significant ? 'significant among all rows' : 'can be chance';
  return `95 % interval: ${points(row.delta_low)} to ${points(row.delta_high)} points; p ${pValue(row.p_value)} (${test}), q ${pValue(row.q_value)}: ${verdict}`;
}

export function Delta({ row, scale }: { row: DiffRow; scale: number }) {
  const grows = row.delta_percent > 0;
  const share = scale > 0 ? Math.min(1, Math.abs(row.delta_percent) / scale) : 0;
  const sign = row.delta_percent === 0 ? '' : grows ? 'grows' : 'shrinks';
  return (
    <span class={`delta ${sign} ${row.significant ? '' : 'chance'}`} title={explain(row)}>
      <span class="track" aria-hidden="true">
        {share > 0 && <span class="size" style={{ width: `${50 * share}%`, [grows ? 'left' : 'right']: '50%' }} />}
      </span>
      <span class="points">{points(row.delta_percent)}</span>
      <span class="verdict">{row.test === 'none' ? '?' : row.significant ? '●' : '○'}<span class="visually-hidden">{row.significant ? ' significant' : ' can be chance'}</span></span>
    </span>
  );
}
