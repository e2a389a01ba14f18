// A lesson that is on its way, in one request, while a test does things to others: it must get on, and end whole.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { waitFor } from '../../support/http.ts'
import { idOf } from '../../support/tus.ts'
import type { Installation } from './installation.ts'

const STEPS = 40

export type Neighbour = {
  /** Sends a little more and sees it acknowledged; nothing once it is finished. */
  step(): Promise<void>
  /** Sends the rest; what comes of it is what comes of any good lesson. */
  finish(): Promise<void>
}

export async function startNeighbour(stack: Installation, path: string): Promise<Neighbour> {
  const bytes = await readFile(path)
  const teacher = await stack.user(await stack.submission('neighbour'), 'teaching_video')
  const url = await teacher.create({ length: bytes.length, name: 'บทเรียน.mp4' })
  const sending = teacher.begin(url, 0, bytes.length)
  let sent = 0
  let isFinished = false
  return {
    async step() {
      if (isFinished) return
      const next = Math.min(bytes.length - 1, sent + Math.floor(bytes.length / STEPS))
      await sending.write(bytes.subarray(sent, next))
      sent = next
      await waitFor(async () => (await teacher.offset(url)) === sent, { what: 'the neighbour to get on' })
    },
    async finish() {
      isFinished = true
      sending.end(bytes.subarray(sent))
      expect((await sending.reply).status).toBe(204)
      const isInspected = ({ state, sha256 }: { state: string; sha256: string | null }) =>
        state === 'ready' && sha256 !== null
      const { sha256 } = await stack.until(idOf(url), isInspected)
      expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
      const told = (await stack.eventsOf(idOf(url))).map(({ type }) => type)
      expect(told).toEqual(['upload.created', 'upload.stored', 'upload.accepted', 'upload.playable', 'upload.ready'])
    },
  }
}
