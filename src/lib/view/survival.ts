/** A picture of lifetimes: for each time a bar as long as the share that lives longer. */

import { bar } from './bar.js'
import { formatUs } from './units.js'

const LABEL_WIDTH = 7
const SHARE_WIDTH = 8
const MIN_BAR_WIDTH = 10

/** A line each, without a newline at the end; `afterMs` grows. */
export function renderSurvival(
  points: readonly (readonly [afterMs: number, share: number])[],
  { width }: { readonly width: number },
): string {
  const barWidth = Math.max(MIN_BAR_WIDTH, Math.min(60, width - LABEL_WIDTH - SHARE_WIDTH - 3))
  return points
    .map(([afterMs, share]) => {
      const percent = `${(100 * share).toFixed(1)} %`
      const line = `${formatUs(afterMs * 1000).padStart(LABEL_WIDTH)} ${percent.padStart(SHARE_WIDTH)}  ${bar(share, barWidth)}`
      return line.trimEnd()
    })
    .join('\n')
}
