import type { Config } from '../config.ts'

export function resetInstallation(_config: Config, _say: (line: string) => void): Promise<void> {
  return Promise.resolve()
}
