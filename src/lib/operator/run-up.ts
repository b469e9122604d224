/** `arbees up` as a person sees it: a live table or log lines, a bounded run, an ordered stop, a summary. */

import type { LoadedSettings } from '../core/config.js'
import { sleep } from '../core/backoff.js'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { sanitize } from '../core/sanitize.js'
import { hasTerminal, terminalWidth } from '../core/terminal.js'
import type { UpSummary } from '../roles/up-summary.js'
import { Up } from '../roles/up.js'
import { LiveScreen } from '../view/live-screen.js'
import { upHints } from './up-hints.js'
import { renderUp } from './up-view.js'

export interface RunUpOptions {
  readonly seed: number
  readonly speed: number
  readonly tape?: string
  readonly keep: boolean
  /** Stop so long after everything is ready; without it a screen runs until a signal, a pipe for a minute. */
  readonly forMs?: number
  /** A live table on stderr, which is a terminal: stdout is the summary's. */
  readonly screen: boolean
  readonly color: boolean
}

const WITHOUT_TERMINAL_MS = 60_000
const REDRAW_MS = 500

/** Runs until its time is over or a signal comes. A second signal kills everything at once. */
export async function runUp(loaded: LoadedSettings, options: RunUpOptions): Promise<{ summary: UpSummary }> {
  const screen = options.screen ? new LiveScreen(process.stderr) : undefined
  const print = (line: string) => {
    if (screen === undefined) process.stderr.write(`${line}\n`)
    else screen.print(line)
  }
  const up = new Up(loaded, options, {
    say: (line) => print(`up: ${sanitize(line)}`),
    log: (role, line) => print(`${`[${role}]`.padEnd(15)} ${sanitize(line)}`),
  })
  const stopping = new AbortController()
  const release = onSignals(stopping, up)
  // Whatever ends this process by an exception must not leave roles behind.
  const killRoles = () => up.kill()
  process.on('exit', killRoles)

  let failure: unknown
  const startedMs = Date.now()
  try {
    const started = up.start()
    // A signal may win the race: what start then still throws concerns nobody.
    started.catch(() => undefined)
    await Promise.race([started, aborted(stopping.signal)])
    if (!stopping.signal.aborted) {
      print(`up: everything is ready after ${((Date.now() - startedMs) / 1000).toFixed(1)} s`)
      for (const hint of upHints(up.redis?.url, loaded.settings.env)) print(`up:   ${hint}`)
      const forMs = options.forMs ?? (options.screen ? undefined : WITHOUT_TERMINAL_MS)
      await runFor(forMs, stopping.signal, () => screen?.update(renderUp(up, viewOptions(options, false))))
    }
  } catch (error) {
    failure = error
  }
  if (up.roles.length > 0) print('up: stopping')
  await up.stop()
  process.off('exit', killRoles)
  release()
  const summary = up.summary()
  screen?.update(renderUp(up, viewOptions(options, true)))
  screen?.close()
  if (failure !== undefined) throw failure instanceof Error ? failure : new Error(messageOf(failure))
  const failed = up.roles.filter((role) => role.state === 'failed').map((role) => role.name)
  if (failed.length > 0) {
    throw new ArbeesError('ROLE_FAILED', `gave up on ${failed.join(', ')}`, {
      exit: EXIT.FAILED,
      hint: 'its last log lines say why',
    })
  }
  return { summary }
}

function viewOptions({ color }: RunUpOptions, finished: boolean) {
  return { color, finished, width: terminalWidth(process.stderr) }
}

/** Redraws until the time is over or the signal aborts. */
async function runFor(ms: number | undefined, signal: AbortSignal, redraw: () => void): Promise<void> {
  const deadline = ms === undefined ? Infinity : Date.now() + ms
  while (!signal.aborted && Date.now() < deadline) {
    redraw()
    await sleep(Math.min(REDRAW_MS, deadline - Date.now()), signal)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/**
 * First signal: stop in order. Second: kill, and exit as a shell expects. SIGHUP reads the allowed keys again, unless
 * it says that the terminal is gone.
 */
function onSignals(stopping: AbortController, up: Up): () => void {
  const exits = { SIGINT: 130, SIGTERM: 143 } as const
  const handlers = Object.entries(exits).map(([name, code]) => {
    const handler = () => {
      if (stopping.signal.aborted) {
        up.kill()
        process.exit(code)
      }
      stopping.abort()
    }
    process.on(name, handler)
    return () => process.off(name, handler)
  })
  const hadTerminal = hasTerminal()
  const onHangup = () => {
    if (hadTerminal && !hasTerminal()) stopping.abort()
    else up.reloadKeys()
  }
  process.on('SIGHUP', onHangup)
  handlers.push(() => process.off('SIGHUP', onHangup))
  return () => {
    for (const remove of handlers) remove()
  }
}
