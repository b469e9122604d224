/** A broken promise: the run ends here. */
export class Violation extends Error {
  constructor(
    /** The promise, in a word or two. */
    readonly what: string,
    detail: string,
  ) {
    super(detail)
  }
}
