import { describe, expect, it } from 'vitest'
import { type FencedCommand, fence, LAUNCHER, SYSTEM_TREES } from '../../../../workers/media/sandbox.ts'

const COMMAND: FencedCommand = {
  tool: '/usr/bin/ffmpeg',
  args: ['-i', 'file:/data/x', '--odd name', 'read=/etc/shadow'],
  limits: { wallMs: 1000, cpuSeconds: 2.5, memoryBytes: 1024, outputBytes: 10, fileBytes: 2048 },
  reads: ['/data/x'],
  writes: ['/scratch/job/out.mp4'],
  nice: 7,
}
const orders = (isolation: 'landlock' | 'none'): string[] => {
  const { args } = fence('/usr/bin/perl', isolation, COMMAND)
  return args.slice(1, args.indexOf('--'))
}

describe('isolation', () => {
  it('launches the tool with unchanged arguments, which cannot change the launcher', () => {
    const { file, args } = fence('/usr/bin/perl', 'landlock', COMMAND)
    expect([file, args[0]]).toEqual(['/usr/bin/perl', LAUNCHER])
    expect(args.slice(args.indexOf('--'))).toEqual(['--', COMMAND.tool, ...COMMAND.args])
  })

  it('limits memory, CPU time and file size, and names the parent, with and without isolation', () => {
    for (const isolation of ['landlock', 'none'] as const)
      expect(orders(isolation)).toEqual(
        expect.arrayContaining([`parent=${process.pid}`, 'nice=7', 'as=1024', 'cpu=3', 'fsize=2048']),
      )
  })

  it('lets the tool read its input and the system, and write its output', () => {
    const allowed = orders('landlock').filter((order) => /^(tree|exec|read|write)=/.test(order))
    expect(allowed).toEqual([
      'exec=/usr/bin/ffmpeg',
      ...SYSTEM_TREES.map((path) => `tree=${path}`),
      'read=/data/x',
      'write=/dev/null',
      'write=/scratch/job/out.mp4',
    ])
  })

  it('shows no home, no data, no processes and no settings of the machine', () => {
    const shown = (path: string): boolean => SYSTEM_TREES.some((tree) => path === tree || path.startsWith(`${tree}/`))
    for (const path of ['/', '/usr', '/etc', '/proc/self/environ', '/root', '/home', '/usr/src/app/data', '/run'])
      expect({ path, shown: shown(path) }).toEqual({ path, shown: false })
  })

  it('has no arguments for files and system calls without isolation', () => {
    expect(orders('none').join(' ')).not.toMatch(/landlock|filter|read=|write=|tree=/)
  })
})
