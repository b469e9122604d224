/**
 * In how many commands markets are subscribed. One, until the venue refuses a whole list for what may be one of its
 * markets; from then on, on this connection, each market has its own, and a bad one harms itself alone.
 */
export class SubscribePlan {
  private singly: { readonly first: number } | undefined

  /** The list of the `subscribe` command. */
  first(wanted: ReadonlySet<string>): readonly string[] {
    const all = [...wanted]
    return this.singly === undefined ? all : all.slice(this.singly.first, this.singly.first + 1)
  }

  /** The `subscribe` was refused; false when there is nothing left to try. */
  refused(wanted: ReadonlySet<string>): boolean {
    this.singly = { first: this.singly === undefined ? 0 : this.singly.first + 1 }
    return wanted.size > 1 && this.singly.first < wanted.size
  }

  /** The lists of the `add_markets` commands. */
  additions(added: readonly string[]): readonly (readonly string[])[] {
    return this.singly === undefined ? [added] : added.map((ticker) => [ticker])
  }
}
