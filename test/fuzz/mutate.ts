/** Valid frames made wrong, in the ways that peers, proxies and attackers make them wrong. */

import type { Prng } from '../../src/lib/sim/prng.js'

export type Frames = readonly Buffer[]

/** A whole number in [0, end). */
const below = (random: Prng, end: number): number => Math.floor(random.next() * end)
const pick = <T>(random: Prng, from: readonly T[]): T => from[below(random, from.length)]!

/** Values that parsers get wrong, and names that objects must not take. */
const VALUES = [
  '1e400',
  '-1',
  '0',
  '9007199254740993',
  '1e-400',
  '-0',
  '0.1',
  'NaN',
  '""',
  'null',
  'true',
  '[]',
  '{}',
]
const NAMES = ['__proto__', 'constructor', 'toString', 'source', 'epoch', 'seq', 'payload', '']

/** One mutant; now and then the frames as they are, so that right ones come between. */
export function mutate(random: Prng, seeds: readonly Frames[]): Frames {
  const frames = [...pick(random, seeds)]
  if (random.chance(0.02)) return frames
  const times = 1 + below(random, 3)
  for (let i = 0; i < times; i++) mutateOnce(random, frames, seeds)
  return frames
}

function mutateOnce(random: Prng, frames: Buffer[], seeds: readonly Frames[]): void {
  // Mostly the body: that is where the parsing is.
  const index = random.chance(0.8) ? frames.length - 1 : below(random, frames.length)
  const frame = frames[index] ?? Buffer.alloc(0)
  switch (below(random, 12)) {
    case 0:
    case 1:
      frames[index] = withByte(frame, below(random, frame.length + 1), below(random, 256))
      break
    case 2:
      frames[index] = frame.subarray(0, below(random, frame.length + 1))
      break
    case 3: {
      const at = below(random, frame.length + 1)
      const junk = Buffer.from(Array.from({ length: below(random, 20) }, () => below(random, 256)))
      frames[index] = Buffer.concat([frame.subarray(0, at), junk, frame.subarray(at)])
      break
    }
    case 4: {
      const from = below(random, frame.length + 1)
      frames[index] = Buffer.concat([frame.subarray(0, from), frame.subarray(from + below(random, 40))])
      break
    }
    case 5:
      frames[index] = replaceOne(random, frame, /-?\d+(\.\d+)?/g, pick(random, VALUES))
      break
    case 6:
      frames[index] = replaceOne(random, frame, /"[a-z_]+":/g, `"${pick(random, NAMES)}":`)
      break
    case 7:
      frames[index] = replaceOne(
        random,
        frame,
        /"[^"]*"/g,
        `"\\u001b]0;${'x'.repeat(below(random, 300))}\\u0007\\ud800"`,
      )
      break
    case 8: {
      const other = pick(random, pick(random, seeds))
      frames[index] = Buffer.concat([
        frame.subarray(0, below(random, frame.length + 1)),
        other.subarray(below(random, other.length + 1)),
      ])
      break
    }
    case 9: {
      if (random.chance(0.5)) {
        frames[index] = Buffer.from(pick(random, VALUES))
        break
      }
      const depth = below(random, 3_000)
      frames[index] = Buffer.from('['.repeat(depth) + ']'.repeat(below(random, depth + 1)))
      break
    }
    case 10:
      if (random.chance(0.5)) frames.splice(index, 1)
      else frames.splice(below(random, frames.length + 1), 0, Buffer.from(pick(random, NAMES)))
      if (frames.length === 0) frames.push(Buffer.alloc(0))
      break
    case 11:
      frames[index] = Buffer.concat([frame, Buffer.from([0xc3, 0x28, 0xf0, 0x9f])])
      break
  }
}

function withByte(frame: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(frame)
  if (at < copy.length) copy[at] = byte
  return copy
}

function replaceOne(random: Prng, frame: Buffer, pattern: RegExp, by: string): Buffer {
  const text = frame.toString('latin1')
  const found = [...text.matchAll(pattern)]
  if (found.length === 0) return frame
  const match = pick(random, found)
  return Buffer.from(text.slice(0, match.index) + by + text.slice(match.index + match[0].length), 'latin1')
}
