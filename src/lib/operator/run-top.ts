/** `arbees top` and `arbees status --watch`: looks again and again, and draws in place. */

import { sleep } from '../core/backoff.js'
import type { Clock } from '../core/clock.js'
import type { Settings } from '../core/config.js'
import { allEndpoints } from '../roles/wiring.js'
import { LiveScreen, canRedraw } from '../view/live-screen.js'
import type { Terminal } from '../view/live-screen.js'
import { runLatency } from './latency.js'
import { operatorKeys } from './operator-keys.js'
import { readPrefixes } from './prefixes.js'
import { LISTEN_MS } from './beat-listener.js'
import { StatusLook } from './status.js'
import type { StatusReport } from './status-report.js'
import { TopModel } from './top.js'
import type { TopFrame } from './top.js'
import { renderTop } from './top-view.js'

export interface WatchOptions {
  readonly settings: Settings
  readonly clock: Clock
  readonly everyMs: number
  /** Ends it, after the look that is under way. */
  readonly signal: AbortSignal
  readonly forMs?: number | undefined
  readonly count?: number | undefined
}

/** Gives a look to `show` every so often. The last report, or undefined when it ended before the first. */
async function watchStatus(
  { settings, clock, everyMs, signal, forMs = Infinity, count = Infinity }: WatchOptions,
  show: (report: StatusReport) => void,
): Promise<StatusReport | undefined> {
  const look = new StatusLook({ settings, clock })
  const endUs = clock.monoUs() + forMs * 1000
  let report: StatusReport | undefined
  try {
    await sleep(Math.min(LISTEN_MS, forMs), signal)
    for (let shown = 0; shown < count && !signal.aborted; shown++) {
      const startedUs = clock.monoUs()
      report = await look.read()
      show(report)
      const tookMs = (clock.monoUs() - startedUs) / 1000
      const leftMs = (endUs - clock.monoUs()) / 1000
      if (leftMs <= 0) break
      await sleep(Math.max(0, Math.min(everyMs - tookMs, leftMs)), signal)
    }
    return report
  } finally {
    look.close()
  }
}

/** One that finds the frame before it not taken yet is left out: the next one says what is then. */
function writeFrame(terminal: Terminal, text: string): void {
  if (terminal.writableNeedDrain !== true) terminal.write(text)
}

export interface StatusScreenOptions extends WatchOptions {
  /** A report as one line of JSON each time, instead of a screen. */
  readonly json: boolean
  readonly terminal: Terminal
  readonly render: (report: StatusReport) => string
}

/** `status --watch`: on a terminal redrawn in place. As `watchStatus` otherwise. */
export async function showStatus(options: StatusScreenOptions): Promise<StatusReport | undefined> {
  const { terminal, json, render } = options
  const screen = new LiveScreen(terminal, process.stdin)
  const isDrawn = canRedraw(terminal) && !json
  try {
    return await watchStatus(options, (report) => {
      if (isDrawn) screen.update(render(report))
      else if (screen.active && !json) writeFrame(terminal, `${render(report)}\n\n`)
      else writeFrame(terminal, `${JSON.stringify(report)}\n`)
    })
  } finally {
    screen.close()
  }
}

export interface RunTopOptions extends WatchOptions {
  /** One frame, after an interval, and no more. */
  readonly once: boolean
  /** A frame as one line of JSON each time, instead of a screen. */
  readonly json: boolean
  readonly color: boolean
  readonly terminal: Terminal
  readonly talk: (line: string) => void
}

/** Runs until its bounds or the signal. The last frame; undefined when it ended before the first. */
export async function runTop(options: RunTopOptions): Promise<TopFrame | undefined> {
  const { settings, clock, everyMs, once, json, color, terminal, talk } = options
  const model = new TopModel()
  const screen = new LiveScreen(terminal, process.stdin)
  const isDrawn = canRedraw(terminal) && !json && !once
  const stop = new AbortController()
  options.signal.addEventListener('abort', () => stop.abort(), { once: true })
  const width = () => (screen.active ? screen.size.columns : Infinity)
  const latency = runLatency({
    ...{ endpoints: allEndpoints(settings), prefixes: readPrefixes([]).prefixes, env: settings.env, clock },
    keys: operatorKeys(settings, ({ publisher, problem, hint }) =>
      isDrawn
        ? screen.print(`${publisher}: ${problem}\n  ${hint}`)
        : talk(`${publisher}: ${problem}\n  ${hint}`),
    ),
    ...{ redisUrl: settings.redis_url, grouping: 'hop', intervalMs: everyMs, signal: stop.signal },
    onInterval: (interval) => model.interval(interval),
    // Silence is what the screen shows anyway.
    talk: () => undefined,
  })
  try {
    // The first of two looks is for the rates of the second.
    await watchStatus({ ...options, signal: stop.signal, ...(once ? { count: 2 } : {}) }, (report) => {
      model.status(report, clock.nowMs())
      const frame = model.frame()
      if (frame === undefined || once) return
      if (json) writeFrame(terminal, `${JSON.stringify(frame)}\n`)
      else if (isDrawn) screen.update(renderTop(frame, { width: width(), color }))
      else writeFrame(terminal, `${renderTop(frame, { width: width(), color })}\n\n`)
    })
  } finally {
    stop.abort()
    await latency
    screen.close()
  }
  const frame = model.frame()
  if (once && frame !== undefined) {
    terminal.write(json ? `${JSON.stringify(frame)}\n` : `${renderTop(frame, { width: width(), color })}\n`)
  }
  return frame
}
