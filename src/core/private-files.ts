// Uploads, records, secrets and scratch files are readable only by this user, whatever the umask.

import { chmod, mkdir, stat } from 'node:fs/promises'

/**
 * For the whole process: new files are only for this user, and so is the data folder, which is created if it
 * is missing. The mode of another user's folder is not changed.
 */
export async function keepFilesPrivate(dataDir: string): Promise<void> {
  process.umask(0o077)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const { mode, uid } = await stat(dataDir)
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) await chmod(dataDir, 0o700)
}
