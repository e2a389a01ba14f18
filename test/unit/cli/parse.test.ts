import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../../src/cli/commands/index.ts'
import { CliError, EXIT } from '../../../src/cli/errors.ts'
import { parseCommandLine } from '../../../src/cli/parse.ts'
import { durationMs, momentMs, wholeNumber } from '../../../src/cli/values.ts'

function faultOf(run: () => unknown): CliError {
  try {
    run()
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('durations and moments', () => {
  it.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['1d', 86_400_000],
  ])('%s', (text, ms) => expect(durationMs(text, '--by')).toBe(ms))

  it.each(['', '2', 'h', '2 h', '-2h', '2w', '0s', '2h!'])('refuses "%s"', (text) => {
    expect(faultOf(() => durationMs(text, '--by'))).toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringContaining('--by'),
    })
  })

  it('accepts a time with its zone, or a duration ago', () => {
    expect(momentMs('2026-09-30T23:59:00+07:00', '--since', 0)).toBe(Date.parse('2026-09-30T16:59:00Z'))
    expect(momentMs('2h', '--since', 10_000_000)).toBe(2_800_000)
  })

  it.each(['2026-09-30T23:59:00', '2026-09-30', 'yesterday', '2026-13-01T00:00:00Z'])(
    'refuses %s: a time without a zone',
    (text) => expect(faultOf(() => momentMs(text, '--since', 0)).exitCode).toBe(EXIT.usage),
  )

  it('accepts integers within limits', () => {
    expect(wholeNumber('8', 'concurrency', 1, 256)).toBe(8)
    for (const text of ['0', '257', '1.5', '-1', '', 'x'])
      expect(faultOf(() => wholeNumber(text, 'concurrency', 1, 256)).exitCode).toBe(EXIT.usage)
  })
})

describe('the command line', () => {
  it('prints help on all commands, and on each', () => {
    for (const args of [[], ['--help'], ['help'], ['-h']]) {
      const parsed = parseCommandLine(args)
      if (parsed.kind !== 'help') throw new Error('no help')
      for (const { name, summary } of COMMANDS)
        expect(parsed.text).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 10)}`, 'm'))
    }
    for (const { name, takes } of COMMANDS) {
      const parsed = parseCommandLine([name, '--help'])
      expect(parsed).toMatchObject({
        kind: 'help',
        text: expect.stringContaining(`songngan ${name} ${takes}`),
      })
    }
  })

  it.each([
    [['nonsense'], 'There is no command "nonsense"'],
    [['find'], 'a text is required'],
    [['inspect'], 'one upload or submission'],
    [['inspect', 'a', 'b'], 'one upload or submission'],
    [['retry', '--state', 'rejected'], 'only failed'],
    [['retry', '--since', 'soon'], '--since'],
    [['reconcile', 'all'], 'takes only options'],
    [['admission', 'shut'], 'open or close is required'],
    [['admission', 'close'], '--reason'],
    [['admission', 'close', '--reason', 'x', '--retry-after', '2h'], 'at most 1h'],
    [['lane', 'encode', 'pause'], 'there is no lane "encode"'],
    [['lane', 'validate'], 'pause, resume or concurrency'],
    [['lane', 'validate', 'concurrency', '0'], '1 to 256'],
    [['lane', 'validate', 'pause', '5'], 'too many arguments'],
    [['drain', 'a', 'b'], 'one instance'],
    [['drain', '--wait', 'long'], '--wait'],
    [['drain', '--undo'], 'which instance'],
    [['drain', '--yes'], 'which instance'],
    [['extend-deadline'], '--by'],
    [['extend-deadline', '--by', '2h', '--id', 'a b'], '--id'],
    [['extend-deadline', '--by', '2h', '--due-from', 'noon'], '--due-from'],
    [['extend-deadline', '--by', '2h', '--for-outage', 'x'], 'not both'],
    [['extend-deadline', '--for-outage', 'x', '--due-from', '2h'], 'without --due-from'],
    [['export-receipts', '--since', 'noon'], '--since'],
    [['outages', 'all'], 'takes only options'],
    [['outages', '--since', 'noon'], '--since'],
    [['probe'], 'one address'],
    [['probe', 'upload.example'], 'not an address'],
    [['probe', 'https://upload.example', '--every', 'often'], '--every'],
    [['probe', 'https://upload.example', '--unless', 'x'], '--unless'],
    [['find', 'x', '--colour'], "Unknown option '--colour'"],
    [['extend-deadline', '--by'], '--by'],
  ])('refuses %j before it opens a connection', (args, words) => {
    expect(faultOf(() => parseCommandLine(args))).toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringContaining(words),
    })
  })

  it.each([
    ['find', ['find', 'ครู', 'สมศรี', '--json'], true],
    ['lane', ['lane'], false],
    ['lane', ['lane', 'transcode', 'concurrency', 'default'], false],
    ['drain', ['drain'], false],
    ['drain', ['drain', 'host:9464', '--wait', '2m', '--yes'], false],
    ['admission', ['admission', 'close', '--reason', 'disk', '--retry-after', '5m'], false],
    ['extend-deadline', ['extend-deadline', '--by', '2h', '--id', 'outage-1', '--yes', '--json'], true],
  ])('takes %s: %j', (name, args, json) => {
    expect(parseCommandLine(args)).toMatchObject({ kind: 'run', name, json })
  })
})
