import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { objectKeys } from '../../../src/records/keys.ts'
import { LocalObjectStore } from '../../../src/storage/local.ts'

describe('keys of the object store', () => {
  it.each(['..', '.', '', '../../submissions/other/x', 'a/b', 'a\\b', 'a\0'])(
    'cannot be escaped by the name %j',
    (name) => {
      for (const make of [objectKeys.submission, objectKeys.attempts, objectKeys.news])
        expect(() => make('portal', name)).toThrow()
      expect(() => objectKeys.rendition('a'.repeat(40), 'token', name)).toThrow()
    },
  )

  it.each(['attempts/portal/../../submissions/other/x', 'uploads/../x', '/etc/passwd', 'uploads//x', 'uploads/./x'])(
    'are no paths out of their prefix: %s',
    (key) => {
      expect(() => new LocalObjectStore(tmpdir()).path(key)).toThrow('outside')
    },
  )
})
