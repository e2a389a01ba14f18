import { describe, expect, it } from 'vitest'
import { type Capabilities, type FencedCommand, fence } from '../../../../workers/media/sandbox.ts'

const ALL: Capabilities = {
  setpriv: '/s/setpriv',
  prlimit: '/s/prlimit',
  nice: '/s/nice',
  ionice: '/s/ionice',
  choom: '/s/choom',
  isolation: 'unshare',
  isolationPath: '/s/unshare',
}
const NONE: Capabilities = {
  setpriv: null,
  prlimit: null,
  nice: null,
  ionice: null,
  choom: null,
  isolation: 'none',
  isolationPath: null,
}
const COMMAND: FencedCommand = {
  tool: '/usr/bin/ffmpeg',
  args: ['-i', 'file:/data/x', '--odd name'],
  limits: { wallMs: 1000, cpuSeconds: 2.5, memoryBytes: 1024, outputBytes: 10, fileBytes: 2048 },
  cwd: '/scratch/job',
  reads: ['/data/x'],
  network: false,
}
const line = (capabilities: Capabilities, more: Partial<FencedCommand> = {}): string => {
  const { file, args } = fence(capabilities, { ...COMMAND, ...more })
  return [file, ...args].join(' ')
}

describe('fence', () => {
  it('puts every wrapper in front of the tool and leaves its arguments alone', () => {
    const { file, args } = fence(ALL, COMMAND)
    expect(file).toBe('/s/setpriv')
    expect(args.slice(-4)).toEqual(['/usr/bin/ffmpeg', '-i', 'file:/data/x', '--odd name'])
  })

  it('bounds memory, CPU time (softly first), file size, open files and core dumps', () => {
    expect(line(ALL)).toContain('/s/prlimit --as=1024 --cpu=3:8 --fsize=2048 --nofile=256 --core=0 --')
  })

  it('dies with its parent, set again behind the change of credentials', () => {
    expect(line(ALL).match(/--pdeathsig KILL/g)).toHaveLength(2)
    expect(line(ALL)).toMatch(/^\/s\/setpriv --pdeathsig KILL --no-new-privs -- /)
    expect(line(ALL)).toMatch(
      /\/s\/unshare -rn -- \/s\/setpriv --pdeathsig KILL --bounding-set=-all -- \/usr/,
    )
  })

  it('leaves the network on only where it is asked for', () => {
    expect(line(ALL, { network: true })).not.toContain('unshare')
    const bwrap: Capabilities = { ...ALL, isolation: 'bwrap', isolationPath: '/s/bwrap' }
    expect(line(bwrap)).toContain('/s/bwrap --unshare-all --die-with-parent')
    expect(line(bwrap)).not.toContain('--share-net')
    expect(line(bwrap, { network: true })).toContain('--share-net')
  })

  it('shows with bwrap only the scratch folder and what has to be read', () => {
    const bwrap = line({ ...ALL, isolation: 'bwrap', isolationPath: '/s/bwrap' })
    expect(bwrap).toContain(
      '--bind /scratch/job /scratch/job --chdir /scratch/job --ro-bind /data/x /data/x --',
    )
    expect(bwrap).not.toMatch(/bind\S* \/ /)
  })

  it('runs the bare tool on a machine that allows nothing', () => {
    expect(fence(NONE, COMMAND)).toEqual({ file: '/usr/bin/ffmpeg', args: [...COMMAND.args] })
  })
})
