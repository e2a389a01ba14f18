import { describe, expect, it } from 'vitest'
import { parseCommandLine, UsageError } from '../../../../tools/conformance/args.ts'

describe('the command line', () => {
  it('takes everything', () => {
    const parsed = parseCommandLine([
      '--url',
      'http://127.0.0.1:1080/files/',
      '--header',
      'Authorization: Bearer a:b',
      '--header',
      'X: 1',
      '--header',
      'X: 2',
      '--only',
      'HEAD',
      '--json',
      'out.json',
      '--metadata',
      'filename YQ==',
      '--size',
      '5001',
      '--timeout',
      '2',
      '--takeover',
      '3',
      '--expiry-wait',
      '4',
      '--assume',
      'checksum,creation',
    ])
    expect(parsed).toMatchObject({
      harness: {
        headers: { Authorization: ['Bearer a:b'], X: ['1', '2'] },
        timeoutMs: 2_000,
        takeoverMs: 3_000,
        expiryWaitMs: 4_000,
        sizeBytes: 5_000,
      },
      only: 'HEAD',
      jsonFile: 'out.json',
      metadata: 'filename YQ==',
      assume: ['checksum', 'creation'],
    })
  })

  it.each([
    [[], '--url'],
    [['--url', 'nowhere'], '--url'],
    [['--url', 'ftp://a/'], 'http'],
    [['--url', 'http://a/', '--header', 'no colon'], '--header'],
    [['--url', 'http://a/', '--header', 'A: b\r\nC: d'], '--header'],
    [['--url', 'http://a/', '--size', '10'], '--size'],
    [['--url', 'http://a/', '--timeout', 'soon'], '--timeout'],
    [['--url', 'http://a/', '--nosuch'], '--nosuch'],
  ])('says what is wrong with %j', (argv, named) => {
    expect(() => parseCommandLine(argv)).toThrow(UsageError)
    expect(() => parseCommandLine(argv)).toThrow(named)
  })

  it('knows --help and --list without a URL', () => {
    expect(parseCommandLine(['--help'])).toBe('help')
    expect(parseCommandLine(['--list'])).toBe('list')
  })
})
