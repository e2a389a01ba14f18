// An upload's state is set in one file; a second one would be the beginning of states that contradict each other.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

/** Objects that are no upload's record, though they have such a member: an error's details, a rendition. */
const OTHERS = ["details: { state: 'receiving' }", 'renditionChanged(current, name, {', 'isPlayable({']
const SETS_STATE = /\bstate: '(receiving|stored|checking|accepted|ready|rejected|failed|expired|cancelled)'(?! \|)/

/** Views of uploads without a record, and renditions. */
const NO_RECORDS = ['src/submissions/document/views.ts', 'src/lifecycle/rendition-states.ts']

const files = ['src', 'workers'].flatMap((top) =>
  readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(top, name)),
)

it('the state of an upload is set by transitions.ts alone', () => {
  const setters = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => SETS_STATE.test(line) && !OTHERS.some((other) => line.includes(other)))
      .map(() => file),
  )
  expect(new Set(setters.filter((file) => !NO_RECORDS.includes(file)))).toEqual(
    new Set(['src/lifecycle/transitions.ts']),
  )
})

it('no other file makes a transition', () => {
  const claiming = files.filter((file) => readFileSync(file, 'utf8').includes('as unknown as NextUpload'))
  expect(claiming.sort()).toEqual(['src/lifecycle/transition-table.ts', 'src/lifecycle/transitions.ts'])
})
