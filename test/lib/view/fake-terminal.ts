/** A terminal of a few lines that obeys the codes a live screen uses, so that tests read what a person would see. */

import type { Terminal } from '../../../src/lib/view/live-screen.js'

const CODE = /^\u001b\[(\??)(\d*)([A-Za-z])/

export class FakeTerminal implements Terminal {
  readonly isTTY = true
  cursorShown = true
  readonly written: string[] = []
  private lines: string[] = ['']
  private row = 0
  private column = 0
  private readonly listeners = new Set<() => void>()

  constructor(
    public columns: number,
    public rows: number,
  ) {}

  on(_event: 'resize', listener: () => void): void {
    this.listeners.add(listener)
  }

  off(_event: 'resize', listener: () => void): void {
    this.listeners.delete(listener)
  }

  get resizeListeners(): number {
    return this.listeners.size
  }

  /** Wraps what stands there, as terminals do when they become narrower, and tells. */
  resize(columns: number): void {
    const wrapped = this.lines.flatMap((line, index) => {
      const pieces = line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']
      if (index === this.row) this.rowAfterWrap = pieces.length - 1
      return pieces
    })
    const before = this.lines
      .slice(0, this.row)
      .flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? [''])
    this.row = before.length + this.rowAfterWrap
    this.lines = wrapped
    this.columns = columns
    this.listeners.forEach((listener) => listener())
  }

  write(text: string): boolean {
    this.written.push(text)
    let rest = text
    while (rest !== '') {
      const code = CODE.exec(rest)
      if (code !== null) {
        this.obey(code[1] ?? '', code[2] ?? '', code[3] ?? '')
        rest = rest.slice(code[0].length)
        continue
      }
      this.put(rest[0] ?? '')
      rest = rest.slice(1)
    }
    return true
  }

  /** Everything printed so far, without empty lines at the end. */
  get shown(): string[] {
    const lines = this.lines.map((line) => line.trimEnd())
    while (lines.at(-1) === '') lines.pop()
    return lines
  }

  private rowAfterWrap = 0

  private put(char: string): void {
    if (char === '\r') this.column = 0
    else if (char === '\n') this.moveTo(this.row + 1, 0)
    else {
      const line = (this.lines[this.row] ?? '').padEnd(this.column)
      this.lines[this.row] = line.slice(0, this.column) + char + line.slice(this.column + 1)
      this.column++
    }
  }

  private obey(privateMark: string, amount: string, letter: string): void {
    if (privateMark === '?') {
      if (amount === '25') this.cursorShown = letter === 'h'
      if (amount === '1049') this.switchScreen(letter === 'h')
      return
    }
    if (letter === 'H') this.row = this.column = 0
    else if (letter === 'A') this.row = Math.max(0, this.row - Number(amount))
    else if (letter === 'K') this.lines[this.row] = (this.lines[this.row] ?? '').slice(0, this.column)
    else if (letter === 'J') {
      this.lines[this.row] = (this.lines[this.row] ?? '').slice(0, this.column)
      this.lines.length = this.row + 1
    } else throw new Error(`a code that this terminal does not know: ${letter}`)
  }

  private behind: { lines: string[]; row: number; column: number } | undefined

  private switchScreen(toAlternate: boolean): void {
    if (toAlternate) {
      this.behind = { lines: this.lines, row: this.row, column: this.column }
      this.lines = ['']
      this.row = this.column = 0
    } else if (this.behind !== undefined) {
      Object.assign(this, this.behind)
      this.behind = undefined
    }
  }

  private moveTo(row: number, column: number): void {
    this.row = row
    this.column = column
    while (this.lines.length <= row) this.lines.push('')
  }
}
