// What looks for texts in a store reads all of it, also while a service is writing.

import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { keptInDirectory } from '../../support/traces.ts'

it('a file that is renamed after it was listed is read under its new name', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-traces-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'final'), 'text')
  let reading = true
  const service = (async () => {
    while (reading) {
      await writeFile(join(dir, 'staged'), 'text')
      await rename(join(dir, 'staged'), join(dir, 'final'))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })()
  for (let turn = 0; turn < 100; turn++)
    expect((await keptInDirectory(dir)).map(({ place }) => place)).toContain('/final')
  reading = false
  await service
})
