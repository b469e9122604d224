/**
 * A subscription that says nothing may be quiet, or dead, or its last message may be lost: only the next number
 * tells. After a silence it is asked for one snapshot, whose number shows all three.
 */
export class SilenceWatch {
  private heardUs = 0
  private askedUs: number | undefined

  constructor(
    private readonly quietUs: number,
    private readonly answerUs: number,
  ) {}

  /** A numbered message arrived. */
  heard(nowUs: number): void {
    this.heardUs = nowUs
    this.askedUs = undefined
  }

  /** `ask` once per silence, then `dead` when no numbered message follows. */
  check(nowUs: number): 'fine' | 'ask' | 'dead' {
    if (this.askedUs !== undefined) return nowUs - this.askedUs >= this.answerUs ? 'dead' : 'fine'
    if (nowUs - this.heardUs < this.quietUs) return 'fine'
    this.askedUs = nowUs
    return 'ask'
  }
}
