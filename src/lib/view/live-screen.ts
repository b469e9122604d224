/**
 * A block of text at the bottom of a terminal that is redrawn in place. Lines may be printed above it; what was
 * printed stays in the scrollback. The cursor comes back whatever ends the process, short of SIGKILL.
 */

import { writeSync } from 'node:fs'
import type { ReadStream } from 'node:tty'
import { terminalWidth } from '../core/terminal.js'
import { isQuit, isSuspend, takeKeys } from './terminal-keys.js'
import { cutText, textWidth } from './text-width.js'

/** The part of `process.stdout` that a screen uses. */
export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  readonly fd?: number
  /** What was written before is not taken yet. */
  readonly writableNeedDrain?: boolean
  write(text: string): boolean
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

const ESC = '\u001b['
const HIDE_CURSOR = `${ESC}?25l`
const SHOW_CURSOR = `${ESC}?25h`
/** A screen of its own, which a resize does not tear; what was there before comes back behind it. */
const OPEN_SCREEN = `${ESC}?1049h`
const CLOSE_SCREEN = `${ESC}?1049l`
const TO_TOP_LEFT = `${ESC}H`
/** Terminals that know these show the frame at once; the others ignore them. */
const BEGIN_FRAME = `${ESC}?2026h`
const END_FRAME = `${ESC}?2026l`
const ERASE_LINE_END = `${ESC}K`
const ERASE_BELOW = `${ESC}J`
const DEFAULT_ROWS = 24

/** A terminal that can move its cursor; frames follow each other on one that cannot (`TERM=dumb`), and in a pipe. */
export const canRedraw = (terminal: Pick<Terminal, 'isTTY'>): boolean =>
  terminal.isTTY === true && process.env['TERM'] !== 'dumb'

export class LiveScreen {
  private text = ''
  /** As they stand on the terminal, cut to its width. */
  private drawn: readonly string[] = []
  /** What was said beside the block while it had the whole terminal. */
  private printed = ''
  private hidden = false
  private closed = false
  private readonly redraw = () => this.draw()
  private readonly suspend = () => this.suspendNow()
  private readonly resume = () => {
    if (this.text !== '') this.draw()
  }
  private readonly restore = () => this.restoreNow()
  private releaseKeys: () => void = () => undefined

  /**
   * On anything but a terminal, `update` draws nothing and `print` passes lines through. With a keyboard it takes the
   * whole terminal from the first frame to the end, whose last block then stays: `q`, Ctrl-C and Ctrl-D send SIGINT to
   * this process, Ctrl-Z stops it as a shell expects, with the terminal as it was.
   */
  constructor(
    private readonly terminal: Terminal,
    private readonly keyboard?: ReadStream,
  ) {
    if (!this.active) return
    terminal.on('resize', this.redraw)
    process.on('SIGTSTP', this.suspend)
    process.on('SIGCONT', this.resume)
    // Also what `process.exit` and an uncaught error leave through.
    process.on('exit', this.restore)
  }

  get active(): boolean {
    return this.terminal.isTTY === true && !this.closed
  }

  /** Columns and rows to render for; those of a plain terminal where they are not known. */
  get size(): { readonly columns: number; readonly rows: number } {
    const { rows } = this.terminal
    return {
      columns: terminalWidth(this.terminal),
      rows: rows !== undefined && rows > 0 ? rows : DEFAULT_ROWS,
    }
  }

  /** Shows `text` instead of what stands there. Lines are cut at the right edge, surplus ones at the bottom. */
  update(text: string): void {
    if (!this.active || text === this.text) return
    this.text = text
    this.draw()
  }

  /** Prints lines above the block. */
  print(lines: string): void {
    const text = lines.endsWith('\n') ? lines : `${lines}\n`
    if (this.isFull) {
      this.printed += text
      return this.draw()
    }
    if (!this.active || this.drawn.length === 0) {
      this.terminal.write(text)
      return
    }
    this.terminal.write(BEGIN_FRAME + this.toTop() + ERASE_BELOW + text + this.block() + END_FRAME)
  }

  /** Leaves the last block standing, gives the cursor back, and draws no more. Safe to call twice. */
  close(): void {
    if (this.closed) return
    const wasActive = this.active
    this.closed = true
    if (!wasActive) return
    this.releaseKeys()
    this.terminal.off('resize', this.redraw)
    process.off('SIGTSTP', this.suspend)
    process.off('SIGCONT', this.resume)
    process.off('exit', this.restore)
    if (this.isFull) this.terminal.write(CLOSE_SCREEN + this.printed + this.block())
    if (this.drawn.length > 0) this.terminal.write('\n')
    if (this.hidden) this.terminal.write(SHOW_CURSOR)
    this.hidden = false
  }

  /** It has the whole terminal now. */
  private get isFull(): boolean {
    return this.hidden && this.keyboard?.isTTY === true
  }

  private draw(): void {
    if (!this.active) return
    const isFull = this.keyboard?.isTTY === true
    const hide = this.hidden ? '' : HIDE_CURSOR + (isFull ? OPEN_SCREEN : '')
    if (!this.hidden && isFull) {
      this.releaseKeys = takeKeys(this.keyboard, (keys) => {
        if (isQuit(keys)) process.kill(process.pid, 'SIGINT')
        else if (isSuspend(keys)) this.suspendNow()
      })
    }
    this.hidden = true
    const top = isFull ? TO_TOP_LEFT : this.toTop()
    this.terminal.write(hide + BEGIN_FRAME + top + this.block() + ERASE_BELOW + END_FRAME)
  }

  /** Every line is overwritten and its rest erased: nothing is blank in between. The cursor ends on the last line. */
  private block(): string {
    const { columns, rows } = this.size
    const above = this.closed ? '' : this.printed
    const lines = (above + this.text).replace(/\n+$/, '').split('\n')
    // One row stays free: a block as high as the terminal would scroll at each frame.
    const room = Math.max(1, rows - 1)
    const shown =
      lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`]
    this.drawn = shown.map((line) => cutText(line, columns))
    return this.drawn.map((line) => line + (textWidth(line) < columns ? ERASE_LINE_END : '')).join('\n')
  }

  /** Back to the block's first line, also when the terminal has become narrower and wrapped what stood there. */
  private toTop(): string {
    const { columns } = this.size
    const rows = this.drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0)
    return rows > 1 ? `\r${ESC}${rows - 1}A` : '\r'
  }

  /** Gives the terminal back and stops this process until SIGCONT, after which the block is drawn below. */
  private suspendNow(): void {
    this.releaseKeys()
    this.releaseKeys = () => undefined
    if (this.hidden) this.terminal.write((this.isFull ? CLOSE_SCREEN : '\n') + SHOW_CURSOR)
    this.hidden = false
    this.drawn = []
    process.kill(process.pid, 'SIGSTOP')
  }

  /** The process is ending: only a synchronous write still gets out. */
  private restoreNow(): void {
    if (!this.hidden) return
    try {
      writeSync(this.terminal.fd ?? 2, `${END_FRAME}${this.isFull ? CLOSE_SCREEN : '\n'}${SHOW_CURSOR}`)
    } catch {
      // The terminal is gone: there is nothing to restore.
    }
  }
}
