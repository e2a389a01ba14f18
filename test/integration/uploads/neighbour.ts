// An upload that runs beside whatever a test does to others: it must go on, byte by byte, and be whole at the end.

import { expect } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import type { Environment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'

const STEPS = 64
const STEP_BYTES = 40_000

export type Neighbour = {
  /** Sends a little more in the same request and sees it acknowledged. */
  step(): Promise<void>
  /** Sends the rest; the stored file is what was sent. */
  finish(): Promise<void>
}

export async function startNeighbour(stack: Environment): Promise<Neighbour> {
  const bytes = filmBytes(STEPS * STEP_BYTES, 'neighbour')
  const user = await stack.user('film')
  const url = await user.create({ length: bytes.length, name: 'a.mp4' })
  const sending = user.begin(url, 0, bytes.length)
  let sent = 0
  return {
    async step() {
      await sending.write(bytes.subarray(sent, sent + STEP_BYTES))
      sent += STEP_BYTES
      await waitFor(async () => (await user.offset(url)) === sent, { what: 'the neighbour to get on' })
    },
    async finish() {
      sending.end(bytes.subarray(sent))
      expect((await sending.reply).status).toBe(204)
      expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    },
  }
}
