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

const maxRemembered = 1_000

/** What is bound where: names in it, as they are written, by what they are usually called. */
interface Scope {
  bound: Map<string, string>
  names: Map<string, string>
}

/**
 * Names of elements with the usual prefix of their namespace, whatever the document calls it. A prefix that is not
 * declared, or of a namespace that nobody here reads, is kept as it is written.
 */
export function createNames() {
  const scopes: Scope[] = [{ bound: new Map(), names: new Map() }]
  const top = () => scopes.at(-1) as Scope

  const usual = (scope: Scope, name: string): string => {
    const known = scope.names.get(name)
    if (known !== undefined) return known
    const colon = name.indexOf(':')
    const prefix = scope.bound.get(name.slice(0, Math.max(0, colon)))
    const local = name.slice(colon + 1)
    const result = prefix === undefined ? name : prefix === '' ? local : `${prefix}:${local}`
    if (scope.names.size < maxRemembered) scope.names.set(name, result)
    return result
  }

  return {
    /** Elements that stand open. */
    depth: () => scopes.length - 1,

    open(name: string, attributes: Record<string, string>): string {
      const declared = Object.keys(attributes).filter((key) => key === 'xmlns' || key.startsWith('xmlns:'))
      const before = top()
      if (declared.length === 0) scopes.push(before)
      else {
        const bound = new Map(before.bound)
        for (const key of declared) {
          const prefix = key.slice(6)
          const found = usualPrefixOf(attributes[key] ?? '')
          if (found === undefined) bound.delete(prefix)
          else bound.set(prefix, found)
        }
        // RSS has no namespace, whatever its root says by mistake.
        if (name === 'rss') bound.delete('')
        scopes.push({ bound, names: new Map() })
      }
      return usual(top(), name)
    },

    close(name: string): string {
      const scope = scopes.length > 1 ? (scopes.pop() as Scope) : top()
      return usual(scope, name)
    },
  }
}
