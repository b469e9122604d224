/** An authority of a test's own and what it signs, made by openssl; everything lasts two days. */

import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Certificate {
  /** Paths of PEM files. */
  readonly cert: string
  readonly key: string
}

export class TestAuthority {
  readonly dir = mkdtempSync(join(tmpdir(), 'arbees-tls-'))
  /** Its own certificate: what a client trusts. */
  readonly cert: string
  private readonly key: string

  constructor() {
    const { cert, key } = this.make('authority', ['-addext', 'basicConstraints=critical,CA:TRUE'])
    this.cert = cert
    this.key = key
  }

  /** For `names`, such as `IP:127.0.0.1` and `DNS:localhost`. */
  issue(name: string, ...names: readonly string[]): Certificate {
    const alternatives = names.length === 0 ? [] : ['-addext', `subjectAltName=${names.join(',')}`]
    return this.make(name, ['-CA', this.cert, '-CAkey', this.key, ...alternatives])
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }

  private make(name: string, extra: readonly string[]): Certificate {
    const cert = join(this.dir, `${name}.pem`)
    const key = join(this.dir, `${name}.key`)
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const files = ['-subj', `/CN=${name}`, '-days', '2', '-keyout', key, '-out', cert]
    execFileSync('openssl', [...request, ...files, ...extra], { stdio: 'pipe' })
    chmodSync(key, 0o600)
    return { cert, key }
  }
}
