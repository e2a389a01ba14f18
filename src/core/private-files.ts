// Uploads, records, secrets and scratch files are for this user alone, whatever the shell or the image had in mind.

import { chmod, mkdir, stat } from 'node:fs/promises'

/**
 * For the whole process: what it writes from now on is nobody else's, and neither is the data folder, which is made where it
 * is missing. A folder of another user is left as it is: its owner decides.
 */
export async function keepFilesPrivate(dataDir: string): Promise<void> {
  process.umask(0o077)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const { mode, uid } = await stat(dataDir)
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) await chmod(dataDir, 0o700)
}
