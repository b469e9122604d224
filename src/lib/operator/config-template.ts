/** A commented `arbees.yaml`: every setting with what it is and its default, nothing switched on. */

import { SECTIONS, SETTINGS, SETTING_KEYS } from '../core/settings.js'
import type { SettingKey } from '../core/settings.js'
import { yamlValue } from './config-edit.js'

const HEAD = `# Settings of arbees. Each is commented out and shows its default: take the # away to set it, and the # of its
# section, too. Flags, the environment (ARBEES_KALSHI__REST_URL for kalshi.rest_url) and .env come before this file.
# Secrets do not belong here: name their files. With a password in redis_url this file must be of mode 0600.
#
#     arbees config validate       checks this file, and each profile
#     arbees config show           says what is in force, and why
`

const PROFILES = `# Chosen by --profile or ARBEES_PROFILE; what stands in a profile comes before the rest of this file.
#profiles:
#  demo:
#    env: demo
#    data_dir: .arbees-demo
#    kalshi:
#      credentials_file: /etc/arbees/kalshi-demo.json
#  prod:
#    env: prod
#    data_dir: /var/lib/arbees
#    keys_dir: /etc/arbees/keys
#    redis_url: redis://127.0.0.1:6379
#    kalshi:
#      credentials_file: /etc/arbees/kalshi-prod.json
#    limits:
#      order_usd: 50
`

/** With every `#` at the start of a line that is not prose taken away, it is a valid file that changes nothing. */
export function configTemplate(): string {
  const plain = SETTING_KEYS.filter((key) => !key.includes('.'))
  const sections = [...SECTIONS].map((section) => {
    const keys = SETTING_KEYS.filter((key) => key.startsWith(`${section}.`))
    return [`#${section}:\n`, ...keys.map((key) => lines(key, key.slice(section.length + 1), '  '))].join('')
  })
  return [HEAD, ...plain.map((key) => lines(key, key, '')), ...sections, PROFILES].join('\n')
}

/** Prose has a space behind its `#`, a setting has not. */
function lines(key: SettingKey, name: string, indent: string): string {
  const { doc, written, schema } = SETTINGS[key]
  const choices = Array.isArray(schema['enum']) ? `: ${schema['enum'].join(', ')}` : ''
  return `${indent === '' ? '' : '#'}${indent}# ${doc}${choices}\n#${indent}${name}: ${yamlValue(key, written)}\n`
}
