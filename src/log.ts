import {
  pino,
  stdSerializers,
  type DestinationStream,
  type Logger,
  type LoggerOptions as PinoOptions,
} from 'pino'

export type { Logger } from 'pino'

interface LoggerOptions {
  destination?: DestinationStream
  /** While it does, nobody can act on a warning, such as of a lost connection: it is told as information. */
  isEnding?: () => boolean
}

const warnWeight = 40

/** Looks at each word once: texts of strangers are long. */
const withoutAddresses = (text: string): string =>
  text.replace(/[^\s<>"'(),:;=/]+/g, (word) => (word.includes('@') ? '<address>' : word))

/** Where an error comes from, without what a server said of the data: PostgreSQL's `detail` and `where` quote rows. */
function errorWithoutData(error: unknown): object {
  if (!(error instanceof Error)) return { message: withoutAddresses(String(error)) }
  const { type, message, stack, code, constraint } = stdSerializers.err(error) as Record<string, unknown>
  return {
    type,
    message: withoutAddresses(String(message)),
    stack: withoutAddresses(String(stack)),
    code,
    constraint,
  }
}

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
    serializers: {
      err: errorWithoutData,
      reason: (reason: unknown) => (typeof reason === 'string' ? withoutAddresses(reason) : reason),
    },
    redact: {
      paths: ['address', 'email', 'token', 'key', 'secret', 'password', 'authorization', 'cookie'].flatMap(
        (name) => [name, `*.${name}`],
      ),
      remove: true,
    },
  }
  return destination ? pino(options, destination) : pino(options)
}
