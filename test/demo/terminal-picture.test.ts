import { describe, expect, it } from 'vitest'
import { drawFilm } from './terminal-picture.js'

const draw = (...texts: string[]) =>
  drawFilm(
    texts.map((text) => ({ text, holdMs: 500 })),
    { columns: 20, rows: 2 },
  )
const runs = (svg: string) =>
  [...svg.matchAll(/<tspan x="([\d.]+)" textLength="[\d.]+"(?: class="([^"]*)")?>([^<]*)</g)].map(
    ([, x, style, text]) => [Math.round(Number(x) / 8.4), style ?? '', text],
  )

describe('a picture of a terminal', () => {
  it('keeps each run in its column and its style, also when styles overlap and end', () => {
    const line =
      '\u001b[1mrole\u001b[22m  \u001b[31m\u001b[1mbad\u001b[22m red\u001b[39m plain \u001b[2;32mx\u001b[0m y'
    expect(runs(draw(line))).toEqual([
      [0, 'bold', 'role'],
      [6, 'red bold', 'bad'],
      [10, 'red', 'red'],
      [14, '', 'plain'],
      [20, 'dim green', 'x'],
      [22, '', 'y'],
    ])
  })

  it('shows what a terminal shows: its last rows, markup as text', () => {
    expect(runs(draw('gone\n<b>&\nlast')).map(([, , text]) => text)).toEqual(['&#60;b&#62;&#38;', 'last'])
  })

  it('shows one frame at a time, each in its turn, the first where nothing moves', () => {
    const svg = draw('a', 'b')
    expect(svg.match(/<g id="f\d" visibility="hidden">/g)).toEqual(['<g id="f1" visibility="hidden">'])
    expect(svg).toContain('@keyframes f0{0.000%{visibility:visible}50.000%{visibility:hidden}}')
    expect(svg).toContain('@keyframes f1{0%{visibility:hidden}50.000%{visibility:visible}}')
    expect(svg).toContain('1000ms step-end infinite')
  })
})
