import { pino, type DestinationStream, type Logger, type LoggerOptions as PinoOptions } from 'pino'

export type { Logger } from 'pino'

interface LoggerOptions {
  destination?: DestinationStream
  /** While it does, nobody can act on a warning, such as of a lost connection: it is told as information. */
  isEnding?: () => boolean
}

const warnWeight = 40

/**
 * JSON lines on stdout. A message is a fixed sentence and values are fields, so that a log can be searched;
 * whatever identifies a person or opens a door is never a field, and these names are cut out should it happen.
 */
export function createLogger(
  level: string,
  process: 'web' | 'worker' | 'mail' | 'start' | 'cli',
  { destination, isEnding = () => false }: LoggerOptions = {},
): Logger {
  const options: PinoOptions = {
    level,
    hooks: {
      logMethod(args, method, weight) {
        if (weight === warnWeight && isEnding()) this.info(...args)
        else method.apply(this, args)
      },
    },
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
