/** Below this, looking again costs less than remembering. */
const worthRemembering = 1_024

/** The form of a segment, made once: a digest's mails share most of theirs. */
export function perSegment(make: (segment: Buffer) => Buffer): (segment: Buffer) => Buffer {
  const known = new WeakMap<Buffer, Buffer>()
  return (segment) => {
    if (segment.length < worthRemembering) return make(segment)
    const form = known.get(segment) ?? make(segment)
    known.set(segment, form)
    return form
  }
}
