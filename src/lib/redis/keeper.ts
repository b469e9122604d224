/**
 * The keeper of a private Redis: a process of a few lines between us and the server, in a session of its own, so that
 * a terminal's Ctrl-C does not reach the server before the mirror has drained, and so that the server ends when we do,
 * by SIGKILL too: our end of the IPC channel closes, and the keeper stops it.
 *
 * It is the text of a script, so that it runs the same from a build and from sources. It tells `{pid}` once the server
 * is spawned, or `{error}`.
 */
export const KEEPER_SCRIPT = `
const { spawn } = require('node:child_process')
const [binary, ...args] = process.argv.slice(1)
const server = spawn(binary, args, { stdio: 'ignore' })
const tell = (message) => process.connected && process.send(message, () => undefined)
server.once('spawn', () => tell({ pid: server.pid }))
server.once('error', (error) => { tell({ error: error.message }); process.exitCode = 1; process.disconnect?.() })
server.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)))
let stopping = false
const stop = () => {
  if (stopping) return
  stopping = true
  server.kill('SIGTERM')
  setTimeout(() => server.kill('SIGKILL'), 2000).unref()
}
process.once('disconnect', stop)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop)
`
