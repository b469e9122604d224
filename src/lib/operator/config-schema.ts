/** `arbees.yaml` as JSON Schema, for editors that complete and check YAML by it. */

import { SECTIONS, SETTINGS, SETTING_KEYS } from '../core/settings.js'
import type { SettingKey } from '../core/settings.js'

type Json = Readonly<Record<string, unknown>>

export function configSchema(): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'arbees.yaml',
    ...{ type: ['object', 'null'], additionalProperties: false },
    properties: {
      ...sections(),
      profiles: {
        description: 'sets of settings that --profile chooses; they come before the rest of the file',
        type: ['object', 'null'],
        propertyNames: { pattern: '^[a-z][a-z0-9_-]{0,31}$' },
        additionalProperties: { $ref: '#/$defs/profile' },
      },
    },
    $defs: { profile: { type: ['object', 'null'], properties: sections(), additionalProperties: false } },
  }
}

function sections(): Json {
  const plain = SETTING_KEYS.filter((key) => !key.includes('.')).map((key) => [key, setting(key)] as const)
  const nested = [...SECTIONS].map((section) => {
    const keys = SETTING_KEYS.filter((key) => key.startsWith(`${section}.`))
    const properties = Object.fromEntries(keys.map((key) => [key.slice(section.length + 1), setting(key)]))
    return [section, { type: ['object', 'null'], properties, additionalProperties: false }] as const
  })
  return Object.fromEntries([...plain, ...nested])
}

function setting(key: SettingKey): Json {
  const { doc, schema, written, fallback } = SETTINGS[key]
  return { description: doc, ...schema, default: 'unit' in SETTINGS[key] ? written : fallback }
}
