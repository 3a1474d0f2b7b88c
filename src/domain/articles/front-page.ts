const secondStories = 2
const fewBriefs = 4
/** A section has a band of its own from so many stories on. */
const leastInBand = 3

/** A newspaper's order: a lead, second stories, briefs, a band for each section that has enough, and the rest. */
export function arranged<
  Section extends object,
  Card extends { section: (Section & { path: string }) | undefined },
>([lead, ...others]: Card[]) {
  const later = others.slice(secondStories)
  const groups = Map.groupBy(later, ({ section }) => section?.path)
  const bands = [...groups.values()].flatMap((cards) => {
    const section = cards[0]?.section
    return section && cards.length >= leastInBand ? [{ ...section, cards }] : []
  })
  const inBand = new Set(bands.flatMap(({ cards }) => cards))
  const alone = later.filter((card) => !inBand.has(card))
  // Two that are left over would stand in a row of their own.
  const inColumn = alone.length < fewBriefs + leastInBand ? alone.length : fewBriefs
  return {
    lead,
    seconds: others.slice(0, secondStories),
    briefs: alone.slice(0, inColumn),
    bands,
    more: alone.slice(inColumn),
  }
}
