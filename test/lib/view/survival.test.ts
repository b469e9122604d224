import { expect, it } from 'vitest'
import { renderSurvival } from '../../../src/lib/view/survival.js'
import { textWidth } from '../../../src/lib/view/text-width.js'

const POINTS = [
  [0, 1],
  [50, 0.5],
  [1000, 0.001],
  [2000, 0],
] as const

it('draws a bar as long as the share that lives longer, within the terminal', () => {
  expect(renderSurvival(POINTS, { width: 40 }).split('\n')).toEqual([
    '    0us  100.0 %  ██████████████████████',
    ' 50.0ms   50.0 %  ███████████',
    '   1.0s    0.1 %  ▏',
    '   2.0s    0.0 %',
  ])
  for (const width of [40, 80, 200]) {
    for (const line of renderSurvival(POINTS, { width }).split('\n')) {
      expect(textWidth(line)).toBeLessThanOrEqual(width)
    }
  }
})
