// The suite against a server that does everything right: nothing may fail, or the suite is wrong.
import { describe, expect, it } from 'vitest'
import { sections } from '../../../../tools/conformance/sections/index.ts'
import { ids, pick, runAgainst } from './run.ts'

describe('the conformance suite against a correct server', () => {
  it('finds nothing to complain about', async () => {
    const results = await runAgainst({}, sections)
    const complaints = results.filter(({ outcome }) => outcome === 'fail' || outcome === 'blocked')
    expect(complaints).toEqual([])
    expect(ids(results, 'not announced')).toEqual([])
    expect(ids(results, 'skip').sort()).toEqual(['expiration.gone: HEAD', 'expiration.gone: PATCH'])
    expect(ids(results, 'pass').length).toBeGreaterThan(200)
  })

  it('waits for an expiry that is near', async () => {
    const results = await runAgainst({ expiryMs: 1_500 }, pick(['expiration.gone']), { expiryWaitMs: 6_000 })
    expect(ids(results, 'pass')).toEqual(['expiration.gone: HEAD', 'expiration.gone: PATCH'])
  })

  it('reports extensions that are not announced instead of passing them', async () => {
    const conceal = ['checksum', 'checksum-trailer', 'concatenation', 'concatenation-unfinished']
    const chosen = pick(['checksum.verified', 'checksum.trailer-discarded', 'concatenation.order'])
    const results = await runAgainst({ conceal }, chosen)
    expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['not announced']))
  })
})
