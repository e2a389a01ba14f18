// Who holds a lane's lease, as a worker sees it: leases that a test takes are its own process's, which lives.

import { processIdentity } from '../../src/core/process-alive.ts'
import { laneRenewed } from '../../src/lifecycle/transitions.ts'
import type { LaneName } from '../../src/records/upload-record.ts'
import type { UploadRecords } from '../../src/records/upload-records.ts'

/** Nobody sees a process of another machine. */
export const ELSEWHERE = 'another-boot pid:[1] 1 1'

/** Of this process's id, which another had before it. */
export function deadProcess(): string {
  const [boot, namespace, pid] = processIdentity().split(' ')
  return `${boot} ${namespace} ${pid} 1`
}

/** The lease is another's now, who goes on with it; undefined: of a version that did not say whose it is. */
export async function heldBy(
  holder: string | undefined,
  uploads: UploadRecords,
  id: string,
  lane: LaneName,
): Promise<void> {
  await uploads.commit(id, (current) => {
    const { claim } = current?.lanes[lane] ?? {}
    if (current === undefined || claim === undefined) return undefined
    const { process: _, ...rest } = claim
    return laneRenewed(current, lane, holder === undefined ? rest : { ...rest, process: holder })
  })
}
