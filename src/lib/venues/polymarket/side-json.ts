/**
 * One side's levels as the hash wants them: JSON, one behind the other, kept as bytes and mended level by level. To write
 * sixty levels anew for each change takes longer than to hash them.
 */
export class SideJson {
  private bytes: Buffer
  private used = 0

  /** ASCII, without commas between. */
  constructor(levels: readonly string[]) {
    const text = levels.map(withComma).join('')
    this.bytes = Buffer.allocUnsafeSlow(Math.max(1024, 2 * text.length))
    this.used = this.bytes.write(text, 'latin1')
  }

  /** Puts `json` at an index of `levels`, in the place of `former`; an empty text is no level. */
  mend(levels: readonly { readonly json: string }[], index: number, former: string, json: string): void {
    let at = 0
    for (let before = 0; before < index; before++) at += (levels[before]?.json.length ?? 0) + 1
    const removed = withComma(former).length
    const added = withComma(json)
    const used = this.used - removed + added.length
    if (used > this.bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(2 * used)
      this.bytes.copy(bytes, 0, 0, this.used)
      this.bytes = bytes
    }
    this.bytes.copyWithin(at + added.length, at + removed, this.used)
    this.bytes.write(added, at, 'latin1')
    this.used = used
  }

  get length(): number {
    return Math.max(0, this.used - 1)
  }

  /** Returns where it ends. */
  copyTo(target: Buffer, at: number): number {
    return at + this.bytes.copy(target, at, 0, this.length)
  }
}

const withComma = (json: string): string => (json === '' ? '' : `${json},`)
