/** Waits for a condition instead of a time. */
export async function until(what: string, condition: () => boolean, deadlineMs = 8000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
