import { describe, expect, it } from 'vitest'
import { parseCommandLine, UsageError } from '../../../../tools/corpus/args.ts'

describe('the command line of the corpus', () => {
  it('selects, writes and lists', () => {
    expect(parseCommandLine([])).toEqual({})
    expect(parseCommandLine(['--group', 'pdf', '--only', 'cut', '--json', 'a.json', '--keep', 'files'])).toEqual({
      group: 'pdf',
      only: 'cut',
      jsonFile: 'a.json',
      keepDir: 'files',
    })
    expect(parseCommandLine(['--docs', 'a.md'])).toEqual({ docsFile: 'a.md' })
    expect(parseCommandLine(['--help'])).toBe('help')
    expect(parseCommandLine(['--list'])).toBe('list')
  })

  it.each([[['--group', 'music']], [['--docs', 'a.md', '--only', 'cut']], [['--nonsense']], [['word']]])(
    'refuses %j in words',
    (argv) => {
      expect(() => parseCommandLine(argv)).toThrow(UsageError)
    },
  )
})
