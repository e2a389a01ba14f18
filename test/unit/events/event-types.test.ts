// One list of events: what the code publishes, the OpenAPI document, the page and the manual name the same.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { EVENT_TYPES } from '../../../src/events/event-types.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PUBLISHERS = ['src/lifecycle', 'src/submissions', 'src/records', 'workers']
const NAME = /'((?:upload|submission)\.[a-z_]+)'/g

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const namesIn = (text: string, pattern = NAME) => new Set([...text.matchAll(pattern)].map(([, name = '']) => name))
const described = new Set(Object.keys(EVENT_TYPES))

it('every event that is published is described, and no other', () => {
  const files = PUBLISHERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folder, file)),
  )
  expect(namesIn(files.map(read).join('\n'))).toEqual(described)
})

it('the page listens to every event', () => {
  expect(namesIn(read('clients/upload-element/src/live.js'))).toEqual(described)
})

it('the manual names every event', () => {
  const manual = read('docs/integrating.md')
  const [, list = ''] = /## Events\n\n([\s\S]*?)\. All have/.exec(manual) ?? []
  for (const name of described) {
    const short = name.split('.')[1] ?? ''
    expect(list).toMatch(new RegExp(`[\`.]${short}\``))
  }
})
