import { readConfig } from '../../src/config.ts'
import type { ProcessConfig } from '../../src/context.ts'

export const testSecret = 'a secret of the tests that is long enough'

/** A checked configuration on the given database; other variables as an operator would set them. */
export function aConfig(databaseUrl: string, env: Record<string, string> = {}): ProcessConfig {
  const config = readConfig({
    DATABASE_URL: databaseUrl,
    SECRET_KEY: testSecret,
    SMTP_URL: 'smtp://127.0.0.1:1',
    LOG_LEVEL: 'silent',
    ...env,
  })
  return { ...config, databaseUrl, secretKeys: config.secretKeys ?? [testSecret] }
}
