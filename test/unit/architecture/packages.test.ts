// What package.json declares for the running service is what its code imports: no more, and nothing by way of another package.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const IMPORT = /^(?:import|import .* from|} from) '((?:@[a-z-]+\/)?[a-z][\w.-]*)(?:\/[\w./-]+)?'$/gm

it('the declared packages are those that src and workers import', () => {
  const files = ['src', 'workers'].flatMap((top) =>
    readdirSync(top, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[jt]s$/.test(name))
      .map((name) => join(top, name)),
  )
  const imported = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, name = '']) => name),
  )
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> }
  expect([...new Set(imported)].sort()).toEqual(Object.keys(dependencies).sort())
})
