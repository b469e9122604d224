/**
 * The operator's pairing file, read again when it changes. What was read last stands when the file cannot be read or
 * understood any more, or has become empty: it must neither unpair what is traded nor lift a ban. A change is obeyed when
 * two looks find the same text, so that no half of a file is. Only the first reading must succeed.
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ArbeesError, EXIT, messageOf } from '../core/errors.js'
import { parsePairingFile, saysNothing } from '../games/pairing-file.js'
import { NO_RULES } from '../games/pairing-rules.js'
import type { PairingRules } from '../games/pairing-rules.js'

export type RulesChange =
  | { readonly kind: 'changed'; readonly rules: PairingRules }
  /** The same wrong text is told once. */
  | { readonly kind: 'wrong'; readonly error: string }
  | { readonly kind: 'same' }

export class PairingRulesFile {
  private text: string | undefined
  /** Found once, and different from what is obeyed. */
  private pending: string | undefined
  private complaint: string | undefined
  readonly first: PairingRules

  /** Throws `NO_PAIRING_FILE`, `BAD_PAIRING_FILE` (exit 4). No path is no rules. */
  constructor(private readonly path: string) {
    this.text = path === '' ? undefined : textOf(path)
    this.first = this.text === undefined ? NO_RULES : parsePairingFile(this.text, path)
  }

  /** Whether what was read last is what the file says. */
  get isWrong(): boolean {
    return this.complaint !== undefined
  }

  /** Looks at the file again; to be called every few seconds. It is small, so that its text says whether it changed. */
  look(): RulesChange {
    if (this.path === '') return { kind: 'same' }
    try {
      const text = textOf(this.path)
      const isFirstSight = text !== this.text && text !== this.pending
      this.pending = text
      if (text === this.text && this.complaint === undefined) return { kind: 'same' }
      const rules = parsePairingFile(text, this.path)
      if (text !== this.text && saysNothing(text) && !saysNothing(this.text ?? '')) throw emptied(this.path)
      if (isFirstSight) return { kind: 'same' }
      this.text = text
      this.complaint = undefined
      return { kind: 'changed', rules }
    } catch (error) {
      const hint = error instanceof ArbeesError && error.hint !== undefined ? ` (${error.hint})` : ''
      const complaint = `${messageOf(error)}${hint}`
      const isNews = complaint !== this.complaint
      this.complaint = complaint
      return isNews ? { kind: 'wrong', error: complaint } : { kind: 'same' }
    }
  }
}

const emptied = (path: string): ArbeesError =>
  new ArbeesError('BAD_PAIRING_FILE', `${path} says nothing any more`, {
    exit: EXIT.CONFIG,
    hint: "to take its rules back, write 'bans: []'",
  })

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ArbeesError('NO_PAIRING_FILE', `pairing.file ${resolve(path)}: ${messageOf(error)}`, {
      exit: EXIT.CONFIG,
      cause: error,
      hint: 'write it, or set pairing.file to nothing',
    })
  }
}
