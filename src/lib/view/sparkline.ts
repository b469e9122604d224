/** A line of figures in the space of a word. */

const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/**
 * One character a value, the newest last; at most `width`. The lowest level is 0, the highest the greatest value shown;
 * null is a space: nothing was measured then.
 */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width)
  const most = Math.max(0, ...shown.map((value) => value ?? 0))
  return shown.map((value) => (value === null ? ' ' : levelOf(value, most))).join('')
}

function levelOf(value: number, most: number): string {
  const level = most === 0 ? 0 : Math.round((value / most) * (LEVELS.length - 1))
  return LEVELS[Math.min(LEVELS.length - 1, Math.max(0, level))] ?? LEVELS[0]
}
