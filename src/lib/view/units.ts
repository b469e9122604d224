/** Numbers as people read them. */

/** `0.31ms`, `12.4ms`, `3.2s`: from microseconds. */
export function formatUs(us: number): string {
  if (us < 1000) return `${Math.round(us)}us`
  if (us < 10_000) return `${(us / 1000).toFixed(2)}ms`
  if (us < 1_000_000) return `${(us / 1000).toFixed(1)}ms`
  return formatAge(us / 1000)
}

/** `850ms`, `3.2s`, `4m10s`, `2h05m`: from milliseconds. */
export function formatAge(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`
}

/** `12,345`. */
export const formatCount = (count: number): string => count.toLocaleString('en-US')

/** `1 message`, `2 messages`. */
export const plural = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`

/** `512 B`, `1.5 KiB`, `64 MiB`, `2.0 GiB`: from bytes. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? ''}`
}
