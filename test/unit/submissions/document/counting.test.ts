import { describe, expect, it } from 'vitest'
import { countSlot, type SlotCount } from '../../../../src/submissions/document/counting.ts'
import type { DocumentView } from '../../../../src/submissions/document/views.ts'
import { head, minute, pdf, slotOf, video, view } from '../support.ts'

const one = slotOf('teacher.K4', 'teaching_video')
const several = slotOf('teacher.K4', 'student_outcome')
const at = (id: string, minutes: number, changes: Partial<DocumentView> = {}) =>
  view(id, 'teaching_video', minutes, changes)

function ids(count: SlotCount) {
  const names = (views: DocumentView[]) => views.map((upload) => upload.id).join(' ')
  return { counted: names(count.counted), superseded: names(count.superseded) }
}

describe('a slot for one file', () => {
  it('counts the newest accepted one, whatever order they are listed in', () => {
    const uploads = [at('c', 30), at('a', 10), at('b', 20)]
    expect(ids(countSlot(one, uploads, head(), undefined))).toEqual({ counted: 'c', superseded: 'a b' })
  })

  it('goes on counting the replaced file until its successor is accepted', () => {
    const count = (state: DocumentView['state']) =>
      ids(countSlot(one, [at('a', 10), at('b', 20, { replaces: 'a', state })], head(), undefined))
    for (const state of ['receiving', 'stored', 'checking', 'failed', 'rejected', 'expired', 'cancelled'] as const) {
      expect(count(state)).toEqual({ counted: 'a', superseded: '' })
    }
    expect(count('accepted')).toEqual({ counted: 'b', superseded: 'a' })
    expect(count('ready')).toEqual({ counted: 'b', superseded: 'a' })
  })

  it('newest is what was chosen last: a forgotten upload that ends late does not push it out', () => {
    const forgotten = at('a', 10, { storedAt: minute(90) })
    expect(ids(countSlot(one, [forgotten, at('b', 20)], head(), undefined))).toEqual({
      counted: 'b',
      superseded: 'a',
    })
  })

  it('a successor that came too late takes nothing away', () => {
    const dates = head({ deadline: minute(15), graceSeconds: 60 })
    const uploads = [at('a', 10), at('b', 20, { replaces: 'a' })]
    const count = countSlot(one, uploads, dates, undefined)
    expect(ids(count)).toEqual({ counted: 'a', superseded: '' })
    expect(count.tooLate.map((upload) => upload.id)).toEqual(['b'])
    // The portal moves the deadline: now it counts, and replaces.
    const moved = countSlot(one, uploads, head({ deadline: minute(60) }), undefined)
    expect(ids(moved)).toEqual({ counted: 'b', superseded: 'a' })
  })

  it('is soon counted, though two thousand files have replaced each other one after the other', () => {
    const chain = Array.from({ length: 2000 }, (_, i) => at(`u${i}`, i, i === 0 ? {} : { replaces: `u${i - 1}` }))
    const { counted, superseded } = countSlot(one, chain, head(), undefined)
    expect([counted.map(({ id }) => id), superseded.length]).toEqual([['u1999'], 1999])
  })

  it('a successor counts even if the clock was put back before it was made', () => {
    const uploads = [at('old', 20), at('new', 10, { replaces: 'old' })]
    expect(ids(countSlot(one, uploads, head(), undefined))).toEqual({ counted: 'new', superseded: 'old' })
    const chain = [...uploads, at('newest', 5, { replaces: 'new' })]
    expect(ids(countSlot(one, chain, head(), undefined))).toEqual({
      counted: 'newest',
      superseded: 'new old',
    })
  })

  it('files that name each other do not go round in circles', () => {
    const uploads = [at('a', 10, { replaces: 'b' }), at('b', 20, { replaces: 'a' })]
    expect(ids(countSlot(one, uploads, head(), undefined)).counted).toBe('')
  })

  it('leaves partial uploads of a concatenation out, and counts the final one', () => {
    const count = countSlot(
      one,
      [
        at('p', 10, { concat: { kind: 'partial' }, state: 'stored' }),
        at('q', 11, { concat: { kind: 'partial' }, state: 'receiving' }),
        at('f', 12, { concat: { kind: 'final', partials: ['p', 'q'], header: 'final;' } }),
      ],
      head(),
      undefined,
    )
    expect(ids(count)).toEqual({ counted: 'f', superseded: '' })
    expect([count.checking, count.receiving]).toEqual([[], []])
  })
})

describe('a slot for several files', () => {
  const file = (id: string, minutes: number, changes: Partial<DocumentView> = {}) =>
    view(id, 'student_outcome', minutes, { measured: pdf(), ...changes })

  it('counts all up to its number, the earliest stored first', () => {
    const uploads = [file('a', 10), file('b', 20), file('c', 30), file('d', 5, { storedAt: minute(99) })]
    const count = countSlot(several, uploads, head(), undefined)
    expect(ids(count).counted).toBe('a b c')
    expect(count.surplus.map(({ upload, kind }) => [upload.id, kind])).toEqual([['d', null]])
  })

  it('counts one video, also when two were accepted at once', () => {
    const uploads = [
      file('v', 10, { measured: video() }),
      file('w', 11, { measured: video() }),
      file('p', 12),
      file('q', 13),
    ]
    const count = countSlot(several, uploads, head(), undefined)
    expect(ids(count).counted).toBe('v p q')
    expect(count.surplus.map(({ upload, kind }) => [upload.id, kind])).toEqual([['w', 'video']])
  })

  it('lets go of a file that is replaced by name, and of no other', () => {
    const uploads = [file('a', 10), file('b', 20), file('c', 30, { replaces: 'a' })]
    expect(ids(countSlot(several, uploads, head(), undefined))).toEqual({ counted: 'b c', superseded: 'a' })
  })

  it('lets go of a whole chain of replaced files', () => {
    const uploads = [file('a', 10), file('b', 20, { replaces: 'a' }), file('c', 30, { replaces: 'b' })]
    expect(ids(countSlot(several, uploads, head(), undefined))).toEqual({ counted: 'c', superseded: 'a b' })
  })

  it('makes room for another video when the first is deleted', () => {
    const uploads = [file('v', 10, { measured: video(), state: 'cancelled' }), file('w', 11, { measured: video() })]
    expect(ids(countSlot(several, uploads, head(), undefined)).counted).toBe('w')
  })
})

describe('while a seal holds', () => {
  const frozen = new Set(['a'])

  it('counts what was frozen, whatever was accepted since', () => {
    const uploads = [at('a', 10), at('b', 20, { replaces: 'a' }), at('c', 30, { state: 'checking' })]
    const count = countSlot(one, uploads, head(), frozen)
    expect(ids(count)).toEqual({ counted: 'a', superseded: '' })
    expect(count.checking).toEqual([])
  })

  it('still knows what the frozen one had replaced', () => {
    const uploads = [at('x', 5), at('a', 10, { replaces: 'x' })]
    expect(ids(countSlot(one, uploads, head(), frozen))).toEqual({ counted: 'a', superseded: 'x' })
  })

  it('is not undone by a verdict that falls at the same moment', () => {
    for (const state of ['rejected', 'cancelled', 'checking'] as const) {
      const count = countSlot(one, [at('a', 10, { state })], head(), frozen)
      expect(ids(count)).toEqual({ counted: 'a', superseded: '' })
    }
  })

  it('is not undone by a deadline', () => {
    const count = countSlot(one, [at('a', 10)], head({ deadline: minute(1) }), frozen)
    expect(ids(count).counted).toBe('a')
  })
})
