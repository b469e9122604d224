/** How far a WAL goes by its own frames: SQLite drops everything behind the first one that is damaged, and says nothing. */

import { readFileSync } from 'node:fs'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/**
 * The last frame that ends a transaction, among those that carry the salt of the WAL's header; 0 for none. Frames
 * behind them are left from before the WAL was begun anew. Throws what reading a file throws.
 */
export function lastCommitOf(walPath: string): number {
  const wal = readFileSync(walPath)
  if (wal.length < HEADER_BYTES) return 0
  const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8)
  const salts = wal.subarray(16, 24)
  let last = 0
  for (let at = HEADER_BYTES, frame = 1; at + frameBytes <= wal.length; at += frameBytes, frame++) {
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break
    if (wal.readUInt32BE(at + 4) !== 0) last = frame
  }
  return last
}
