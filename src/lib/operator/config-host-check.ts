/** A settings file as it lies on this host: its text, who can read it, the profile that is wanted, the keys it names. */

import { KeyFolder } from '../bus/key-files.js'
import {
  assertPasswordsPrivate,
  parseConfigText,
  readConfigText,
  unknownProfile,
} from '../core/config-file.js'
import { checkConfigText, eachProfile, errorOf, problemOf, settingsOf } from './config-check.js'
import type { ConfigProblem, ConfigReport, InForce } from './config-check.js'

/** `profile` must be there, if one is given. Throws `NO_CONFIG`, `BAD_CONFIG` (exit 4) for what cannot be read. */
export function checkConfigFile(path: string, profile?: string): ConfigReport {
  const text = readConfigText(path)
  const report = checkConfigText(text, path)
  const file = parseConfigText(text)
  const problems = [...report.problems]
  if (report.valid) problems.push(...eachProfile(file, illegibleKeys).map(({ problem }) => problem))
  const open = errorOf(() => assertPasswordsPrivate(file, path))
  if (open !== undefined) problems.push(problemOf(open, { profile: undefined }))
  // Of a broken file nobody knows which profiles it has.
  if (profile !== undefined && file.problems.length === 0 && !file.profiles.includes(profile))
    problems.push(problemOf(unknownProfile(profile, path, file.profiles), { profile: undefined }))
  return { ...report, valid: problems.length === 0, problems }
}

/** What every role on a bus with keys reads first; which secrets it needs besides depends on the host. */
function illegibleKeys(inForce: InForce, profile: string | undefined): { readonly problem: ConfigProblem }[] {
  const { keys_dir: dir } = settingsOf(inForce)
  if (dir === '') return []
  const error = errorOf(() => {
    const folder = new KeyFolder(dir)
    folder.readAllowed()
    folder.readSignalKey()
  })
  return error === undefined ? [] : [{ problem: problemOf(error, { ...inForce.get('keys_dir'), profile }) }]
}
