// The clock of one process is set forward or back during an upload.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { accepted } from '../drives/ends.ts'
import { idle, slowly, small } from '../drives/uploads.ts'
import type { Drive, TroubleRow } from '../model.ts'
import type { KillableProcess } from '../stage/killable.ts'

const HOUR_MS = 3_600_000

export const SHIFTED_CLOCK = 'tools/chaos/clock/shifted'

function setClock({ folder }: KillableProcess, shiftMs: number): void {
  writeFileSync(join(folder, 'clock'), String(shiftMs))
}

const jumps = (shiftMs: number): Drive =>
  slowly(async ({ stage, sender, arm }) => {
    setClock(stage.service, shiftMs)
    arm()
    await sender.done
    setClock(stage.service, 0)
    return sender
  })

/** The worker's clock differs from the service's, from the first byte to the verdict. */
const shiftedWorker =
  (shiftMs: number): Drive =>
  async (stage, seed, arm) => {
    setClock(stage.worker, shiftMs)
    arm()
    const sent = await small(stage, seed, () => undefined)
    for (const { id } of sent.files) await accepted(stage, id)
    // What it has put off by its own clock waits for as long as that is ahead: the row ends with its last job.
    await idle(stage)
    // It is not ready for as long as its clock is off.
    setClock(stage.worker, 0)
    return sent
  }

export const CLOCK_TROUBLES: readonly TroubleRow[] = [
  { name: 'an hour forward in the middle of a body', what: 'clock of the service', drive: jumps(HOUR_MS) },
  { name: 'an hour back in the middle of a body', what: 'clock of the service', drive: jumps(-HOUR_MS) },
  { name: 'an hour ahead', what: 'clock of the worker', drive: shiftedWorker(HOUR_MS) },
  { name: 'an hour behind', what: 'clock of the worker', drive: shiftedWorker(-HOUR_MS) },
]
