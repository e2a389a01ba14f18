// What hostile files want and must not get: a listener that has to hear nothing, and a file that nobody may read.
// Before anything else both alarms are shown to work.

import { readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import type { Bait } from '../../test/support/media/hostile-videos.ts'

/** What the forbidden file says; to be looked for in everything that comes out. */
export const SECRET = 'the-contents-of-a-file-on-this-machine'

const LONG_AGO = { accessed: 1_000_000_000, modified: 1_100_000_000 }

export type Alarms = {
  bait: Bait
  /** False: this file system does not tell that a file was read (noatime), so only the contents can be looked for. */
  tellsReads: boolean
  /** What went off since the last call. */
  rung(): Promise<string[]>
  close(): Promise<void>
}

export async function setAlarms(dir: string): Promise<Alarms> {
  let connections = 0
  const listener = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  const address = listener.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const secretPath = join(dir, 'secret.ts')
  await writeFile(secretPath, SECRET)
  // A read moves the time of access where it lies before the time of change.
  const arm = () => utimes(secretPath, LONG_AGO.accessed, LONG_AGO.modified)
  const wasRead = async () => (await stat(secretPath)).atimeMs > LONG_AGO.accessed * 1000
  const heard = () => {
    const count = connections
    connections = 0
    return count
  }

  await arm()
  await readFile(secretPath)
  const tellsReads = await wasRead()
  await arm()
  await new Promise<void>((resolve, reject) => {
    connect(port, '127.0.0.1')
      .on('close', () => resolve())
      .on('error', reject)
      .resume()
  })
  if (heard() === 0) throw new Error('the listener is deaf')

  return {
    bait: { url: `http://127.0.0.1:${port}/segment.ts`, secretPath },
    tellsReads,
    async rung() {
      const faults: string[] = []
      const count = heard()
      if (count > 0) faults.push(`${count} connections to an address in the file`)
      if (tellsReads && (await wasRead())) {
        faults.push('a file of this machine was read')
        await arm()
      }
      return faults
    },
    close: () => new Promise((resolve) => listener.close(() => resolve())),
  }
}
