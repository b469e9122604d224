/** Sizes as people write them: `512KiB`, `64MiB`, `2GiB`, or plain bytes. */

const UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** Bytes of a text such as `64MiB`. Throws a plain Error saying what it wants. */
export function parseBytes(text: string): number {
  const match = /^(\d{1,12})(B|KiB|MiB|GiB)?$/.exec(text)
  const bytes = Number(match?.[1]) * (UNITS[match?.[2] ?? 'B'] ?? NaN)
  if (!Number.isSafeInteger(bytes)) throw new Error('a size such as 512KiB, 64MiB or 2GiB')
  return bytes
}
