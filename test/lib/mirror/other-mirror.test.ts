import { describe, expect, it } from 'vitest'
import type { Heartbeat } from '../../../src/lib/messages/heartbeat.js'
import { OtherMirror } from '../../../src/lib/mirror/other-mirror.js'

const beat = (pid: number, at: number, closing = false): Heartbeat => ({
  v: 1,
  publisher: 'mirror',
  env: 'sim',
  host: 'h',
  pid,
  timestamp_ms: at,
  mono_us: at,
  channels: [],
  feeds: [],
  counts: {},
  hops: {},
  closing,
})
const text = (...parameters: Parameters<typeof beat>) => JSON.stringify(beat(...parameters))

describe('another mirror', () => {
  it('is seen in what stands where our own word should stand, and gone once it is silent', () => {
    const others = new OtherMirror()
    others.look(null, text(1, 0), 0)
    others.look(text(1, 0), text(1, 250), 250)
    expect(others.at(250)).toBeUndefined()
    others.look(text(2, 400), text(1, 500), 500)
    expect(others.at(500)?.pid).toBe(2)
    others.look(text(1, 500), text(1, 750), 750)
    expect(others.at(2_499)?.pid).toBe(2)
    expect(others.at(2_500)).toBeUndefined()
    expect(others.at(0)).toBeUndefined()
  })

  it.each<[string, (others: OtherMirror) => void]>([
    ['the last word of one that died before we came', (others) => others.look(text(2, 0), text(1, 9), 0)],
    [
      'an own word of which the answer was lost',
      (others) => {
        others.look(null, text(1, 0), 0)
        others.look(text(1, 0), text(1, 250), 250)
        others.look(text(1, 0), text(1, 500), 500)
      },
    ],
    [
      'one that ends',
      (others) => {
        others.look(null, text(1, 0), 0)
        others.look(text(2, 200, true), text(1, 250), 250)
      },
    ],
    [
      'a key that anybody wrote into',
      (others) => {
        others.look(null, text(1, 0), 0)
        others.look('hello', text(1, 250), 250)
      },
    ],
  ])('is not %s', (_, happen) => {
    const others = new OtherMirror()
    happen(others)
    expect(others.at(500)).toBeUndefined()
  })

  it('is told from us by its word alone: the same pid on the same host, as in two containers', () => {
    const others = new OtherMirror()
    others.look(null, text(1, 0), 0)
    others.look(text(1, 123), text(1, 250), 250)
    expect(others.at(250)?.timestamp_ms).toBe(123)
  })
})
