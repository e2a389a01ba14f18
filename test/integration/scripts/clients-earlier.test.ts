// What a build of the packages for portals leaves of the builds before it.

import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { script } from './script.ts'

type Entry = { name: string; version: string }
const { earlierIn, removeOthers } = await script<{
  earlierIn: (target: string, packages: Entry[]) => Entry[]
  removeOthers: (target: string, packages: Entry[]) => void
}>('lib/clients/earlier.mjs')

let target: string
beforeEach(async () => {
  target = await mkdtemp(join(tmpdir(), 'songngan-earlier-'))
})
afterEach(async () => await rm(target, { recursive: true, force: true }))

/** As `buildClients` does it, with packages that are empty. */
async function built(...packages: Entry[]): Promise<Entry[]> {
  for (const { version } of packages) await mkdir(join(target, version), { recursive: true })
  const earlier = earlierIn(target, packages)
  await writeFile(join(target, 'packages.json'), JSON.stringify({ packages, earlier }))
  removeOthers(target, [...packages, ...earlier])
  return earlier
}

const folders = async () => (await readdir(target)).filter((name) => name !== 'packages.json').toSorted()
const client = (version: string) => ({ name: 'client', version })
const element = (version: string) => ({ name: 'element', version })

it('the last four versions of each package, and no more', async () => {
  expect(await built(client('c0'), element('e0'))).toEqual([])
  for (const n of [1, 2, 3, 4, 5]) await built(client(`c${n}`), element('e0'))
  expect(await folders()).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'e0'])
  expect(await built(client('c5'), element('e1'))).toEqual([...['c4', 'c3', 'c2', 'c1'].map(client), element('e0')])
  expect(await folders()).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'e0', 'e1'])
})

it('none twice: what was before may be what is now again', async () => {
  for (const version of ['a', 'b', 'a']) await built(client(version))
  expect(await built(client('a'))).toEqual([client('b')])
  expect(await folders()).toEqual(['a', 'b'])
})

it('what somebody has removed is not listed, what nobody has listed is removed', async () => {
  await built(client('a'))
  await rm(join(target, 'a'), { recursive: true })
  await mkdir(join(target, 'stray'))
  expect(await built(client('b'))).toEqual([])
  expect(await folders()).toEqual(['b'])
})

it('all, where the list is from a time before there were earlier ones', async () => {
  await mkdir(join(target, 'a'))
  await writeFile(join(target, 'packages.json'), JSON.stringify({ packages: [client('a')] }))
  expect(await built(client('b'))).toEqual([client('a')])
})
