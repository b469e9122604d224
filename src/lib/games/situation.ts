/**
 * What a live event says beyond its score: who has the ball and where, men on base, and the provider's own win
 * probability. Every part may be missing, for any play; what is not what it should be is as if it were missing. Pure.
 */

import type { Situation } from '../model/game.js'

interface Told {
  readonly situation?: Situation
  readonly homeWinPpm?: number
}

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @param competitors of the same event: `possession` is a team's id. */
export function readTold(raw: unknown, competitors: readonly unknown[]): Told {
  if (!isObject(raw)) return {}
  const possession = sideOf(raw['possession'], competitors)
  const down = whole(raw['down'], 1, 4)
  const distance = whole(raw['distance'], 0, 99)
  const yardLine = whole(raw['yardLine'], 0, 100)
  const outs = whole(raw['outs'], 0, 3)
  const bases = readBases(raw)
  const homeWinPpm = readProbability(raw['lastPlay'])
  return {
    situation: {
      ...(possession === undefined ? {} : { possession }),
      ...(down === undefined ? {} : { down }),
      ...(distance === undefined ? {} : { distance }),
      ...(yardLine === undefined ? {} : { yardLine }),
      ...(outs === undefined ? {} : { outs }),
      ...(bases === undefined ? {} : { bases }),
    },
    ...(homeWinPpm === undefined ? {} : { homeWinPpm }),
  }
}

/**
 * Which half of the inning, from `Top 9th`, `Bottom 5th`, `Mid 3rd`, `End 7th`: between two halves it is the one that
 * has ended, with three outs.
 */
export function readHalf(type: unknown): Situation {
  const detail = isObject(type) ? type['detail'] : undefined
  const word =
    typeof detail === 'string' ? /^(top|bot|bottom|mid|middle|end)\b/i.exec(detail)?.[1] : undefined
  switch (word?.toLowerCase()) {
    case 'top':
      return { half: 'top' }
    case 'bot':
    case 'bottom':
      return { half: 'bottom' }
    case 'mid':
    case 'middle':
      return { half: 'top', outs: 3, bases: 0 }
    case 'end':
      return { half: 'bottom', outs: 3, bases: 0 }
    default:
      return {}
  }
}

function sideOf(id: unknown, competitors: readonly unknown[]): 'home' | 'away' | undefined {
  if (typeof id !== 'string' || id === '') return undefined
  const holder = competitors.find(
    (each) => isObject(each) && isObject(each['team']) && each['team']['id'] === id,
  )
  const side = isObject(holder) ? holder['homeAway'] : undefined
  return side === 'home' || side === 'away' ? side : undefined
}

/** Undefined unless all three are told. */
function readBases({ onFirst, onSecond, onThird }: Json): number | undefined {
  if (typeof onFirst !== 'boolean' || typeof onSecond !== 'boolean' || typeof onThird !== 'boolean')
    return undefined
  return (onFirst ? 1 : 0) + (onSecond ? 2 : 0) + (onThird ? 4 : 0)
}

function readProbability(lastPlay: unknown): number | undefined {
  const probability = isObject(lastPlay) ? lastPlay['probability'] : undefined
  const home = isObject(probability) ? probability['homeWinPercentage'] : undefined
  return typeof home === 'number' && home >= 0 && home <= 1 ? Math.round(home * 1_000_000) : undefined
}

const whole = (value: unknown, min: number, max: number): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined
