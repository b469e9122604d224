/**
 * Recorded market data instead of the scenario's: `arbees sim --tape FILE`.
 *
 * One JSON object a line; an empty line is passed over:
 *
 *     {"venue":"kalshi","at_ms":0,"frame":{"type":"orderbook_snapshot","sid":1,"seq":1,"msg":{...}}}
 *     {"venue":"poly","at_ms":120,"frame":"[{\"event_type\":\"book\", ...}]"}
 *
 * `venue` says whose market data socket it goes to, `at_ms` how long after a connection's first subscription it is
 * sent (divided by the speed), `frame` what is sent: a string as it is, anything else as its JSON. Every connection
 * that subscribes gets the whole tape of its venue, in file order, whatever it subscribed to; commands are answered as
 * usual (a book frame is not turned into the form of NO prices that was asked for: arbees asks for prices of YES), no
 * snapshot or delta of the scenario is sent, and unknown tickers and tokens are accepted. Catalogs, REST
 * books, order entry and scoreboards stay the scenario's.
 */

import { readFile } from 'node:fs/promises'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { parseJson, recordOf } from './http-host.js'
import type { Venue } from '../model/venue.js'

export interface TapeFrame {
  readonly venue: Venue
  readonly atMs: number
  readonly text: string
}

/** Reads a tape. Throws `BAD_TAPE` (exit 4) naming the line. */
export async function readTape(file: string): Promise<readonly TapeFrame[]> {
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (cause) {
    throw badTape(file, messageOf(cause))
  }
  const frames: TapeFrame[] = []
  content.split('\n').forEach((line, index) => {
    if (line.trim() === '') return
    const frame = parseLine(line)
    if (frame === undefined) throw badTape(file, `line ${index + 1} is not {"venue", "at_ms", "frame"}`)
    frames.push(frame)
  })
  if (frames.length === 0) throw badTape(file, 'it holds no frame')
  return frames
}

function parseLine(line: string): TapeFrame | undefined {
  const entry = recordOf(parseJson(line))
  const venue = entry?.['venue']
  const atMs = entry?.['at_ms']
  const frame = entry?.['frame']
  if (venue !== 'kalshi' && venue !== 'poly') return undefined
  if (typeof atMs !== 'number' || !Number.isFinite(atMs) || atMs < 0 || frame === undefined) return undefined
  return { venue, atMs, text: typeof frame === 'string' ? frame : JSON.stringify(frame) }
}

function badTape(file: string, what: string): ArbeesError {
  return new ArbeesError('BAD_TAPE', `cannot play the tape ${file}: ${what}`, {
    exit: EXIT.CONFIG,
    hint: 'one JSON object a line: {"venue":"kalshi"|"poly","at_ms":0,"frame":{…}}',
  })
}

/** Plays a venue's part of the tape to one connection; returns what stops it. */
export function playTape(
  frames: readonly TapeFrame[],
  venue: Venue,
  speed: number,
  send: (text: string) => void,
): () => void {
  const own = frames.filter((frame) => frame.venue === venue)
  const startMs = performance.now()
  let next = 0
  let timer: NodeJS.Timeout | undefined
  const step = () => {
    const elapsedMs = (performance.now() - startMs) * speed
    for (let frame = own[next]; frame !== undefined && frame.atMs <= elapsedMs; frame = own[next]) {
      next += 1
      send(frame.text)
    }
    const frame = own[next]
    if (frame !== undefined) timer = setTimeout(step, Math.max(1, (frame.atMs - elapsedMs) / speed))
  }
  timer = setTimeout(step, 0)
  return () => clearTimeout(timer)
}
