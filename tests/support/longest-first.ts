import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take long whatever their size: whole installations, browsers, killed workers, floods. */
const long = /\/(start|cli)\.test|\/(browser|faults|attacks)\/|desk-digests|restores|relay-refusals/

/** The longest begin, so that none is left to run alone at the end. Within, as Vitest has it: by the last run, or by size. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
