/** Forgets what was added first until `limit` remain: for memories that would otherwise grow while a process lives. */
export function evictOldest<K>(memory: Map<K, unknown> | Set<K>, limit: number): void {
  for (const key of memory.keys()) {
    if (memory.size <= limit) return
    memory.delete(key)
  }
}
