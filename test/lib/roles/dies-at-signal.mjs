/**
 * `node --import <this>`: a built shard that is sent SIGUSR2 kills itself right behind the write of its next signal,
 * before it is sent: the worst moment for what it was decided on to be anywhere but on disk.
 */
import { FileStorage } from '../../../dist/lib/bus/journal/storage.js'

process.once('SIGUSR2', () => {
  const { append } = FileStorage.prototype
  FileStorage.prototype.append = function (name, bytes) {
    const written = append.call(this, name, bytes)
    if (this.path.endsWith('shard-0.signals') && name.endsWith('.seg')) process.kill(process.pid, 'SIGKILL')
    return written
  }
})
