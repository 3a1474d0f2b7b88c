/** What the namespaces of exports and feeds are usually called; '' is RSS, which began without one. */
const prefixes: [RegExp, string][] = [
  [/^http:\/\/www\.w3\.org\/2005\/atom$|^http:\/\/purl\.org\/atom\/ns#$/, 'atom'],
  [/^http:\/\/purl\.org\/rss\/1\.0$|^http:\/\/(?:my|channel)\.netscape\.com\/rdf\/simple\/0\.9$/, ''],
  [/^http:\/\/backend\.userland\.com\/rss|^http:\/\/blogs\.law\.harvard\.edu\/tech\/rss/, ''],
  [/^http:\/\/www\.w3\.org\/1999\/02\/22-rdf-syntax-ns#$/, 'rdf'],
  [/^http:\/\/purl\.org\/dc\/elements\/1\.[01]$/, 'dc'],
  [/^http:\/\/purl\.org\/dc\/terms$/, 'dcterms'],
  [/^http:\/\/purl\.org\/rss\/1\.0\/modules\/content$/, 'content'],
  [/^https?:\/\/search\.yahoo\.com\/mrss/, 'media'],
  [/^http:\/\/www\.itunes\.com\/dtds\/podcast-1\.0\.dtd$/, 'itunes'],
  [/^http:\/\/www\.w3\.org\/1999\/xhtml$/, 'xhtml'],
  [/^http:\/\/wordpress\.org\/export\/1\.\d$/, 'wp'],
  [/^http:\/\/wordpress\.org\/export\/1\.\d\/excerpt$/, 'excerpt'],
]

const usualPrefixOf = (namespace: string): string | undefined => {
  const folded = namespace.trim().toLowerCase().replace(/\/$/, '')
  return prefixes.find(([pattern]) => pattern.test(folded))?.[1]
}

/**
 * Names of elements with the usual prefix of their namespace, whatever the document calls it. A prefix that is not
 * declared, or of a namespace that nobody here reads, is kept as it is written.
 */
export function createNames() {
  /** Of every element that is open, what is bound in it: usual prefixes by those that are written. */
  const scopes = [new Map<string, string>()]
  const top = () => scopes.at(-1) as Map<string, string>

  const usual = (bound: Map<string, string>, name: string): string => {
    const colon = name.indexOf(':')
    const prefix = bound.get(name.slice(0, Math.max(0, colon)))
    if (prefix === undefined) return name
    const local = name.slice(colon + 1)
    return prefix === '' ? local : `${prefix}:${local}`
  }

  return {
    /** Elements that stand open. */
    depth: () => scopes.length - 1,

    open(name: string, attributes: Record<string, string>): string {
      const declared = Object.keys(attributes).filter((key) => key === 'xmlns' || key.startsWith('xmlns:'))
      // Most declare nothing, and share what is bound around them.
      const bound = declared.length === 0 ? top() : new Map(top())
      for (const key of declared) {
        const prefix = key.slice(6)
        const found = usualPrefixOf(attributes[key] ?? '')
        if (found === undefined) bound.delete(prefix)
        else bound.set(prefix, found)
      }
      // RSS has no namespace, whatever its root says by mistake.
      if (declared.length > 0 && name === 'rss') bound.delete('')
      scopes.push(bound)
      return usual(bound, name)
    },

    close(name: string): string {
      const bound = top()
      if (scopes.length > 1) scopes.pop()
      return usual(bound, name)
    },
  }
}
