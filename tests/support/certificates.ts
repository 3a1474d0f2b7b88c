import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { onTestFinished } from 'vitest'

export interface Certificates {
  /** Of the authority that vouches for it. */
  ca: string
  cert: string
  key: string
}

/** A certificate of 127.0.0.1 and localhost, and the authority of its own that signed it; by openssl, as files. */
export function someCertificates(name = 'IP:127.0.0.1,DNS:localhost'): Certificates {
  const folder = mkdtempSync('/var/tmp/depeche-tls-')
  chmodSync(folder, 0o755)
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const files = { ca: `${folder}/ca.pem`, cert: `${folder}/cert.pem`, key: `${folder}/key.pem` }
  const make = (subject: string, key: string, cert: string, ...more: string[]) => {
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const args = ['req', '-x509', ...kind, '-subj', `/CN=${subject}`, '-keyout', key, '-out', cert, ...more]
    execFileSync('openssl', args, { stdio: 'ignore' })
  }
  const caKey = `${folder}/ca-key.pem`
  make('Le Rivage CA', caKey, files.ca)
  make(
    'rivage',
    files.key,
    files.cert,
    ...['-CA', files.ca, '-CAkey', caKey],
    ...['-addext', `subjectAltName=${name}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
  )
  // PostgreSQL runs as another user.
  chmodSync(files.key, 0o644)
  return files
}
