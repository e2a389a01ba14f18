// Detects what hostile files must not do: a listener that must get no connection, and a file that must not be read.
// Both detectors are tested first.

import { readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import type { Bait } from '../../test/support/media/hostile-videos.ts'

/** Contents of the secret file; must not appear in any output. */
export const SECRET = 'the-contents-of-a-file-on-this-machine'

const LONG_AGO = { accessed: 1_000_000_000, modified: 1_100_000_000 }

export type Alarms = {
  bait: Bait
  /** False: this file system does not record access times (noatime), so only the contents can be searched for. */
  detectsReads: boolean
  /** Errors since the last call. */
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
  // relatime: a read updates the access time only if it is older than the modification time.
  const arm = () => utimes(secretPath, LONG_AGO.accessed, LONG_AGO.modified)
  const wasRead = async () => (await stat(secretPath)).atimeMs > LONG_AGO.accessed * 1000
  const heard = () => {
    const count = connections
    connections = 0
    return count
  }

  await arm()
  await readFile(secretPath)
  const detectsReads = await wasRead()
  await arm()
  await new Promise<void>((resolve, reject) => {
    connect(port, '127.0.0.1')
      .on('close', () => resolve())
      .on('error', reject)
      .resume()
  })
  if (heard() === 0) throw new Error('the listener got no connection')

  return {
    bait: { url: `http://127.0.0.1:${port}/segment.ts`, secretPath },
    detectsReads,
    async rung() {
      const errors: string[] = []
      const count = heard()
      if (count > 0) errors.push(`${count} connections to an address in the file`)
      if (detectsReads && (await wasRead())) {
        errors.push('a file of this machine was read')
        await arm()
      }
      return errors
    },
    close: () => new Promise((resolve) => listener.close(() => resolve())),
  }
}
