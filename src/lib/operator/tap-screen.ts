/** Where a tap's lines go: stdout, with what is said beside it on stderr. */

import { LiveScreen, canRedraw } from '../view/live-screen.js'
import { LineOutput } from './line-output.js'
import { createJsonFormat, createPrettyFormat } from './tap-format.js'
import type { TapFormat } from './tap-format.js'
import { statsJson, statsText } from './tap-stats-view.js'
import type { StatsTables } from './tap-stats-view.js'
import type { TapStatsReport } from './tap-stats.js'

export interface TapScreenOptions {
  readonly isJson: boolean
  readonly color: boolean
  readonly fields: readonly string[] | undefined
  /** Counts instead of messages; undefined for messages. */
  readonly tables: StatsTables | undefined
}

export class TapScreen {
  readonly format: TapFormat
  private readonly lines: LineOutput
  /** What is redrawn in place; undefined where lines follow each other. */
  private readonly live: LiveScreen | undefined

  constructor(private readonly options: TapScreenOptions) {
    const { stdout } = process
    const { isJson, color, fields, tables } = options
    this.format = isJson
      ? createJsonFormat({ forTerminal: stdout.isTTY, fields })
      : createPrettyFormat({ color, fields, width: () => this.width })
    this.lines = new LineOutput({ output: stdout, dropMark: (lines) => this.format.drop(lines) })
    this.live =
      canRedraw(stdout) && !isJson && tables !== undefined ? new LiveScreen(stdout, process.stdin) : undefined
  }

  /** Lines that nobody took in time. */
  get dropped(): number {
    return this.lines.dropped
  }

  /** As `LineOutput` has it. */
  line(make: () => string): void {
    if (this.live === undefined) this.lines.line(make)
    else this.live.print(make())
  }

  show(report: TapStatsReport): void {
    const { isJson, color, tables = { sources: true, topics: false } } = this.options
    const { width, live } = this
    const make = () => (isJson ? statsJson(report, tables) : statsText(report, tables, { width, color }))
    if (live === undefined) this.lines.line(make)
    else live.update(make())
  }

  /** As `LineOutput` has it. */
  room(signal: AbortSignal): Promise<void> {
    return this.lines.room(signal)
  }

  talk(line: string): void {
    if (this.live?.active === true && process.stderr.isTTY) this.live.print(line)
    else process.stderr.write(`${line}\n`)
  }

  /** What is talked from then on comes below. */
  close(): void {
    this.live?.close()
    this.lines.mark()
  }

  private get width(): number {
    return process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : Infinity
  }
}
