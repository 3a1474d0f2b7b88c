import { pino, type DestinationStream, type Logger } from 'pino'

export type { Logger } from 'pino'

/**
 * JSON lines on stdout. A message is a fixed sentence and values are fields, so that a log can be searched;
 * whatever identifies a person or opens a door is never a field, and these names are cut out should it happen.
 */
export function createLogger(
  level: string,
  process: 'web' | 'worker' | 'mail' | 'start' | 'cli',
  destination?: DestinationStream,
): Logger {
  const options = {
    level,
    base: { process },
    redact: {
      paths: ['address', 'email', 'token', 'key', 'secret', 'password', 'authorization', 'cookie'].flatMap(
        (name) => [name, `*.${name}`],
      ),
      remove: true,
    },
  }
  return destination ? pino(options, destination) : pino(options)
}
