/** A game's way: pre -> live -> final, postponed or canceled. A source that goes back must say so twice. Pure. */

import type { GameStatus } from '../model/game.js'

/** A postponed game is played after all, on its day or another; everything else only goes on. */
const NEXT: Readonly<Record<GameStatus, readonly GameStatus[]>> = {
  pre: ['live', 'final', 'postponed', 'canceled'],
  live: ['final', 'postponed', 'canceled'],
  postponed: ['pre', 'live', 'final', 'canceled'],
  final: [],
  canceled: [],
}

export const isOver = (status: GameStatus): boolean => status !== 'pre' && status !== 'live'

/** A repetition within this time is the same reading, sent twice. */
const SECOND_READ_MS = 1000

export interface Step {
  readonly from: GameStatus
  readonly to: GameStatus
}

/** What one source's last reading did. */
export interface Reading {
  /** What counts now. */
  readonly status: GameStatus
  readonly step?: Step
  /** A step that no game takes, first told by this reading: it counts when a later one says the same. */
  readonly doubted?: Step
}

/** One source's word on one game, reading by reading. */
export class GameSteps {
  private doubt: { readonly status: GameStatus; readonly readMs: number } | undefined

  constructor(private current: GameStatus) {}

  get status(): GameStatus {
    return this.current
  }

  /** @param readMs when it was read, our wall clock. */
  read(status: GameStatus, readMs: number): Reading {
    const from = this.current
    if (status === from) {
      this.doubt = undefined
      return { status }
    }
    if (!NEXT[from].includes(status)) {
      if (this.doubt?.status !== status) {
        this.doubt = { status, readMs }
        return { status: from, doubted: { from, to: status } }
      }
      if (readMs - this.doubt.readMs < SECOND_READ_MS) return { status: from }
    }
    this.doubt = undefined
    this.current = status
    return { status, step: { from, to: status } }
  }
}
