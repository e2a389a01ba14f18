// Tests on a disk that can be made full: a real one of its own for the file, which is gone afterwards whatever fails.

import { afterAll, beforeAll, describe } from 'vitest'
import { makeSmallDisk, type SmallDisk } from '../../tools/lib/small-disk.ts'
import { Undo } from '../../tools/lib/undo.ts'

export type OnSmallDisk = {
  /** Within hooks and tests. */
  disk(): SmallDisk
  /** What the tests start on it; ended before it is unmounted. */
  undo: Undo
}

/** Skipped, with the reason in its name, where this user may not mount a tmpfs. */
export async function describeOnSmallDisk(name: string, tests: (stage: OnSmallDisk) => void): Promise<void> {
  const refusal = await refusalToMount()
  describe.skipIf(refusal !== undefined)(refusal === undefined ? name : `${name} (not run: ${refusal})`, () => {
    let disk: SmallDisk | undefined
    const undo = new Undo()
    beforeAll(async () => {
      const made = await makeSmallDisk()
      undo.add(() => made.remove())
      disk = made
    })
    afterAll(() => undo.run())
    tests({
      disk() {
        if (disk === undefined) throw new Error('the disk is mounted before the tests begin')
        return disk
      },
      undo,
    })
  })
}

async function refusalToMount(): Promise<string | undefined> {
  try {
    await (await makeSmallDisk()).remove()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
