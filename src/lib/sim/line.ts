/** The sending side of a client's WebSocket connection, which may be told to misbehave. */

import type { WebSocket } from 'ws'
import type { SocketFault } from './faults.js'

export type LineFault = Exclude<SocketFault, { readonly fault: 'terminal' }>

export class Line {
  private frames = 0
  private lost = 0
  private repeated = 0
  private swapped = 0
  /** A frame that goes after the next one. */
  private held: string | undefined
  /** How many faults keep it quiet. */
  private muted = 0
  private frozen = 0

  /** @param onFrames hears how many data frames were sent by now. */
  constructor(
    private readonly socket: WebSocket,
    private readonly onFrames: (frames: number) => void,
  ) {}

  get bufferedBytes(): number {
    return this.socket.bufferedAmount
  }

  /** Sends a frame of a numbered stream, or what a client cannot know to be missing otherwise. */
  data(text: string): void {
    if (this.swapped > 0 && this.held === undefined) {
      this.swapped -= 1
      this.held = text
    } else {
      const copies = this.copies()
      for (let sent = 0; sent < copies; sent += 1) this.say(text)
      if (this.held !== undefined) this.say(this.held)
      this.held = undefined
    }
    this.frames += 1
    this.onFrames(this.frames)
  }

  /** Sends anything else: replies, and channels without numbers. */
  say(text: string): void {
    if (this.muted === 0 && this.socket.readyState === this.socket.OPEN) this.socket.send(text)
  }

  /** Answers a keep-alive, which a silent connection still does. */
  reply(text: string): void {
    if (this.frozen === 0 && this.socket.readyState === this.socket.OPEN) this.socket.send(text)
  }

  ping(payload: string): void {
    if (this.frozen === 0) this.socket.ping(payload)
  }

  apply(fault: LineFault): void {
    switch (fault.fault) {
      case 'gap':
        this.lost += 1
        return
      case 'duplicate':
        this.repeated += 1
        return
      case 'reorder':
        this.swapped += 1
        return
      case 'cut':
        this.socket.terminate()
        return
      case 'silent':
        this.muted += 1
        this.later(fault.forMs, () => (this.muted -= 1))
        return
      case 'frozen':
        this.muted += 1
        this.frozen += 1
        this.socket.pause()
        this.later(fault.forMs, () => {
          this.muted -= 1
          this.frozen -= 1
          if (this.frozen === 0) this.socket.resume()
        })
    }
  }

  /** How often the next data frame is sent. */
  private copies(): number {
    if (this.lost > 0) {
      this.lost -= 1
      return 0
    }
    if (this.repeated === 0) return 1
    this.repeated -= 1
    return 2
  }

  private later(ms: number | undefined, task: () => void): void {
    if (ms === undefined) return
    const timer = setTimeout(task, ms)
    this.socket.once('close', () => clearTimeout(timer))
  }
}
