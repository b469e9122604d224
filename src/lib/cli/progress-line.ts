/** How far something is, on one line of a terminal. */

const PROGRESS_MS = 500

/**
 * One line that is written over, once there is something to wait for; gone at the end. On anything but a terminal
 * nothing is written. `of what` follows the percentage.
 */
export function progressLine(
  stderr: NodeJS.WriteStream,
  ofWhat: string,
): (done: number, total: number) => void {
  let shownMs = Date.now()
  return (done, total) => {
    if (stderr.isTTY !== true) return
    if (done >= total) stderr.write('\r\u001b[K')
    else if (Date.now() - shownMs >= PROGRESS_MS) {
      shownMs = Date.now()
      stderr.write(`\r${Math.floor((100 * done) / total)}% ${ofWhat}`)
    }
  }
}
