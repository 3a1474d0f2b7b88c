import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take long whatever their size: whole installations, killed workers, floods. */
const long = /\/(start|cli)\.test|\/(faults|attacks)\/|desk-digests|restores|relay-refusals|spread/

/**
 * The longest begin, so that none is left to run alone at the end. Within, as Vitest has it: by the last run, or by size.
 * Those with a browser, which keep a core busy, stand between the others, most of which wait for a database or a server.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const matching = (pattern: RegExp, list = sorted) => list.filter(({ moduleId }) => pattern.test(moduleId))
    const browsers = matching(/\/browser\//)
    const others = sorted.filter((file) => !browsers.includes(file))
    const first = matching(long, others)
    const rest = [...first, ...others.filter((file) => !first.includes(file))]
    // To each its part, of long and short ones.
    const partOf = (n: number) => rest.filter((_, at) => at % browsers.length === n)
    return browsers.length === 0 ? rest : browsers.flatMap((file, n) => [file, ...partOf(n)])
  }
}
