import { describe, expect, it } from 'vitest'
import { parseOptions, UsageError } from '../../../../tools/bench/options.ts'

const MIB = 1024 ** 2

describe('the command line of the bench', () => {
  it('measures everything in full size where nothing is said', () => {
    expect(parseOptions([])).toMatchObject({
      metrics: ['patch', 'first-patch', 'patches', 'rates', 's3-calls', 'take-over', 'slow', 'on-record'],
      rates: ['post', 'post-1k', 'patch-1m', 'head'],
      stores: ['local', 's3'],
      patchBytes: 1024 * MIB,
      slowClients: 2000,
      recordLevels: [1000, 10_000, 100_000],
      limitMs: 420_000,
    })
  })

  it('is small and measures once with --quick, but for what is said', () => {
    expect(parseOptions(['--quick', '--slow-clients', '50'])).toMatchObject({
      metrics: ['patch', 'patches', 'rates', 's3-calls', 'take-over', 'slow', 'on-record'],
      patchBytes: 128 * MIB,
      patchRounds: 1,
      rateRounds: 1,
      takeOverRounds: 1,
      slowClients: 50,
    })
  })

  it('takes one of the rates as well as a whole metric', () => {
    expect(parseOptions(['--only', 'patch, head'])).toMatchObject({
      metrics: ['patch', 'rates'],
      rates: ['head'],
    })
    expect(parseOptions(['--only', 'slow'])).toMatchObject({ metrics: ['slow'], rates: [] })
  })

  it('takes servers and builds as often as they are given', () => {
    const parsed = parseOptions(['--server', 'a=x', '--server', 'b=y', '--build', 'c=z', '--bytes', '2GiB'])
    expect(parsed).toMatchObject({ servers: ['a=x', 'b=y'], builds: ['c=z'], patchBytes: 2048 * MIB })
  })

  it.each([
    [['--only', 'nothing'], 'nothing'],
    [['--stores', 'tape'], 'tape'],
    [['--bytes', '100'], '--bytes'],
    [['--bytes', '1KiB'], '--bytes'],
    [['--bytes', '9GiB'], '--bytes'],
    [['--rounds', '0'], '--rounds'],
    [['--slow-clients', 'many'], '--slow-clients'],
    [['--nosuch'], '--nosuch'],
  ])('says what is wrong with %j', (argv, named) => {
    expect(() => parseOptions(argv)).toThrow(UsageError)
    expect(() => parseOptions(argv)).toThrow(named)
  })

  it('knows --help', () => {
    expect(parseOptions(['--help', '--quick'])).toBe('help')
  })
})
