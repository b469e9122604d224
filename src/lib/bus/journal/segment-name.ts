/** Names of segments: in order of names they are in order of positions. */

/** The file of the messages of `epoch` from `first` on. */
export const segmentName = (epoch: number, first: number): string =>
  `${String(epoch).padStart(16, '0')}-${String(first).padStart(16, '0')}.seg`

/** The position of a segment's first message; undefined for any other file. */
export function parseSegmentName(
  name: string,
): { readonly epoch: number; readonly first: number } | undefined {
  const match = /^(\d{16})-(\d{16})\.seg$/.exec(name)
  if (match === null) return undefined
  return { epoch: Number(match[1]), first: Number(match[2]) }
}
