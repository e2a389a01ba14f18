// Several receiving processes behind one port: all of them die, or the primary process does.

import { readFileSync } from 'node:fs'
import { slowly } from '../drives/uploads.ts'
import type { TroubleRow } from '../model.ts'

const receiving = slowly(async ({ stage, sender, arm }) => {
  const { pid } = stage.service
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  // The process that holds the upload is one of them.
  for (const child of children) process.kill(Number(child), 'SIGKILL')
  if (children.length > 0) arm()
  return sender
})

const primary = slowly(async ({ stage, sender, arm }) => {
  await stage.service.kill()
  arm()
  return sender
})

/** For a stage with more than one receiving process. */
export const PROCESS_TROUBLES: readonly TroubleRow[] = [
  { name: 'every receiving process killed', what: 'service', drive: receiving },
  { name: 'the primary killed', what: 'service', drive: primary },
]
