/** Why a value that was just set in the settings file is not the one in force. */

import { originKind } from '../core/config.js'
import type { ConfigFile } from '../core/config-file.js'
import type { ConfigChange } from './config-write.js'

/** `origin` is where the value in force comes from; undefined where it is the one that was set. */
export function shadowOf(
  { key, profile }: ConfigChange,
  origin: string,
  { entries }: ConfigFile,
): string | undefined {
  switch (originKind(origin)) {
    case 'environment':
    case '.env':
      return `${origin} comes before it`
    case 'up.json':
      return 'the running up goes on with what it was started with; start it again'
    case 'default':
      return 'ARBEES_CONFIG is empty, so no settings file is read'
    default: {
      const others = entries.filter((entry) => entry.key === key && entry.profile !== undefined)
      if (profile !== undefined || others.length === 0) return undefined
      return `not with --profile ${others.map((entry) => entry.profile).join(' or ')}, which has a value of its own`
    }
  }
}
