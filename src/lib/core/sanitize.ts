/**
 * The one sanitizer for foreign text (market titles, team names, error bodies) before it reaches a terminal:
 * control characters, C1, bidi overrides and zero-width characters become visible `\uXXXX`.
 */

// C0 with DEL and C1, soft hyphen, Arabic letter mark, zero-width and bidi marks, line separators, BOM, specials.
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g

/** Safe on one line of a terminal, at most `maxLength` UTF-16 units (an ellipsis marks the cut). */
export function sanitize(text: string, maxLength = 4096): string {
  const safe = text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return safe.length <= maxLength ? safe : `${safe.slice(0, maxLength - 1)}…`
}
