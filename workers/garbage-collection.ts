import { setFlagsFromString } from 'node:v8'

/**
 * V8 marks what is alive in small steps beside the work, and gets to no end while the event loop is never idle: a digest
 * of an hour kept what its first minute had left behind, 100 MB of it. At once it takes some 45 ms, every few seconds.
 * How large the young generation may be cannot be said here any more: whoever starts the process does.
 */
setFlagsFromString('--no-incremental-marking')
