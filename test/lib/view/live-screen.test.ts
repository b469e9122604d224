import { describe, expect, it, vi } from 'vitest'
import { LiveScreen } from '../../../src/lib/view/live-screen.js'
import { until } from '../poll.js'
import { FakeKeyboard } from './fake-keyboard.js'
import { FakeTerminal } from './fake-terminal.js'

describe('a live screen', () => {
  it('redraws in place, also when the text gets shorter', () => {
    const terminal = new FakeTerminal(20, 10)
    const screen = new LiveScreen(terminal)
    screen.update('one\ntwo\nthree')
    screen.update('uno\ndos')
    expect(terminal.shown).toEqual(['uno', 'dos'])
    screen.close()
  })

  it('writes each frame at once and never blanks what stays', () => {
    const terminal = new FakeTerminal(20, 10)
    const screen = new LiveScreen(terminal)
    screen.update('one\ntwo')
    const frames = terminal.written.length
    screen.update('one\nTWO')
    expect(terminal.written.length).toBe(frames + 1)
    // Lines are overwritten and their rest erased; only what is below the block is cleared.
    expect(terminal.written.at(-1)?.indexOf('\u001b[J')).toBeGreaterThan(
      terminal.written.at(-1)?.indexOf('TWO') ?? 0,
    )
    screen.close()
  })

  it('draws nothing when nothing has changed', () => {
    const terminal = new FakeTerminal(20, 10)
    const screen = new LiveScreen(terminal)
    screen.update('same')
    const frames = terminal.written.length
    screen.update('same')
    expect(terminal.written.length).toBe(frames)
    screen.close()
  })

  it('cuts lines at the right edge and surplus lines at the bottom', () => {
    const terminal = new FakeTerminal(8, 4)
    const screen = new LiveScreen(terminal)
    screen.update('a long first line\nb\nc\nd\ne')
    expect(terminal.shown).toEqual(['a long …', 'b', '… 3 mor…'])
    screen.close()
  })

  it('prints lines above the block and keeps them', () => {
    const terminal = new FakeTerminal(20, 10)
    const screen = new LiveScreen(terminal)
    screen.print('before')
    screen.update('block 1\nblock 2')
    screen.print('log a')
    screen.print('log b\nlog c\n')
    screen.update('block 3\nblock 4')
    expect(terminal.shown).toEqual(['before', 'log a', 'log b', 'log c', 'block 3', 'block 4'])
    screen.close()
  })

  it('finds its first line again after the terminal became narrower', () => {
    const terminal = new FakeTerminal(20, 10)
    const screen = new LiveScreen(terminal)
    screen.print('log')
    screen.update('0123456789abcdef\nsecond')
    terminal.resize(10)
    expect(terminal.shown).toEqual(['log', '012345678…', 'second'])
    screen.close()
  })

  it('gives the cursor back and leaves the last block standing', () => {
    const terminal = new FakeTerminal(20, 10)
    const exitListeners = process.listenerCount('exit')
    const screen = new LiveScreen(terminal)
    screen.update('last')
    expect(terminal.cursorShown).toBe(false)
    screen.close()
    screen.close()
    screen.update('too late')
    expect(terminal.cursorShown).toBe(true)
    expect(terminal.shown).toEqual(['last'])
    expect(terminal.resizeListeners).toBe(0)
    expect(process.listenerCount('exit')).toBe(exitListeners)
  })

  it('draws nothing into a pipe and passes printed lines through', () => {
    const written: string[] = []
    const pipe = {
      write: (text: string) => written.push(text) > 0,
      on: () => undefined,
      off: () => undefined,
    }
    const screen = new LiveScreen(pipe)
    screen.update('a table')
    screen.print('a line')
    screen.close()
    expect(written).toEqual(['a line\n'])
  })

  it('takes the keyboard over from its first frame to its end, and hands the wish to stop on as Ctrl-C does', async () => {
    const keyboard = new FakeKeyboard()
    const screen = new LiveScreen(new FakeTerminal(20, 10), keyboard.asInput)
    expect(keyboard.modes).toEqual([])
    screen.update('one')
    screen.update('two')
    expect(keyboard.modes).toEqual([true])
    let stops = 0
    const onStop = () => void stops++
    process.on('SIGINT', onStop)
    try {
      keyboard.write('x\r')
      keyboard.write('q')
      await until(() => stops === 1, 'q is heard')
      keyboard.write('\u0003')
      await until(() => stops === 2, 'Ctrl-C is heard')
    } finally {
      process.off('SIGINT', onStop)
    }
    screen.close()
    expect(keyboard.modes).toEqual([true, false])
  })

  it('gives the terminal back while the process is stopped, leaves what stood there, and its last block at the end', async () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    try {
      const terminal = new FakeTerminal(20, 10)
      const keyboard = new FakeKeyboard()
      const screen = new LiveScreen(terminal, keyboard.asInput)
      terminal.write('$ top\n')
      screen.update('one\ntwo')
      keyboard.write('\u001a')
      await until(() => kill.mock.calls.length > 0, 'it stops itself')
      expect(kill.mock.calls).toEqual([[process.pid, 'SIGSTOP']])
      expect([terminal.cursorShown, keyboard.modes]).toEqual([true, [true, false]])
      expect(terminal.shown).toEqual(['$ top'])
      terminal.write('$ fg\n')
      process.emit('SIGCONT')
      expect(terminal.shown).toEqual(['one', 'two'])
      screen.print('by the way')
      screen.update('uno\ndos')
      expect(terminal.shown).toEqual(['by the way', 'uno', 'dos'])
      expect([terminal.cursorShown, keyboard.modes]).toEqual([false, [true, false, true]])
      keyboard.write('q')
      await until(() => kill.mock.calls.at(-1)?.[1] === 'SIGINT', 'keys are heard again')
      screen.close()
      expect(terminal.shown).toEqual(['$ top', '$ fg', 'by the way', 'uno', 'dos'])
      expect(process.listenerCount('SIGCONT')).toBe(0)
    } finally {
      kill.mockRestore()
    }
  })

  it('takes a q that is pasted among others for no wish to stop', async () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    try {
      const keyboard = new FakeKeyboard()
      const screen = new LiveScreen(new FakeTerminal(20, 10), keyboard.asInput)
      screen.update('one')
      keyboard.write('sqlite3\r')
      keyboard.write('a\u0003')
      await until(() => kill.mock.calls.length > 0, 'Ctrl-C is heard')
      expect(kill.mock.calls).toEqual([[process.pid, 'SIGINT']])
      screen.close()
    } finally {
      kill.mockRestore()
    }
  })
})
