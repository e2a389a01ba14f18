// The filter, run as the kernel runs it.

import { describe, expect, it } from 'vitest'
import { type Architecture, knownCalls, seccompFilter } from '../../../../workers/media/seccomp.ts'

const AUDIT_ARCH: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 }
const ALLOW = 0x7fff0000
const NOT_THERE = 0x00050000 + 38
const KILL = 0x80000000

/** What the kernel would do with this call. */
function judge(architecture: Architecture, number: number, args: number[] = [], as = AUDIT_ARCH[architecture]) {
  const program = seccompFilter(architecture)
  const data = Buffer.alloc(64)
  data.writeUInt32LE(number, 0)
  data.writeUInt32LE(as, 4)
  args.forEach((value, i) => {
    data.writeUInt32LE(value >>> 0, 16 + i * 8)
  })
  let accumulator = 0
  for (let at = 0; at < program.length / 8; at++) {
    const code = program.readUInt16LE(at * 8)
    const [ifTrue, ifFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)]
    const value = program.readUInt32LE(at * 8 + 4)
    if (code === 0x20) accumulator = data.readUInt32LE(value)
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0
    else if (code === 0x15) at += accumulator === value ? ifTrue : ifFalse
    else if (code === 0x45) at += (accumulator & value) !== 0 ? ifTrue : ifFalse
    else if (code === 0x06) return value
    else throw new Error(`no such instruction: ${code}`)
  }
  throw new Error('the program ran out')
}

/** x64 number, arm64 number; from the kernel's tables. */
const FORBIDDEN: Record<string, readonly [number | null, number]> = {
  socket: [41, 198],
  socketpair: [53, 199],
  connect: [42, 203],
  sendmsg: [46, 211],
  fork: [57, 435],
  vfork: [58, 435],
  clone3: [435, 435],
  kill: [62, 129],
  tgkill: [234, 131],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  pidfd_open: [434, 434],
  truncate: [76, 45],
  rename: [82, 38],
  unlink: [87, 35],
  symlink: [88, 36],
  link: [86, 37],
  chmod: [90, 53],
  fchmod: [91, 52],
  chown: [92, 54],
  utimensat: [280, 88],
  setxattr: [188, 5],
  memfd_create: [319, 279],
  io_uring_setup: [425, 425],
  unshare: [272, 97],
  mount: [165, 40],
  openat2: [437, 437],
  setpriority: [141, 140],
  setsid: [112, 157],
  keyctl: [250, 219],
  bpf: [321, 280],
  userfaultfd: [323, 282],
  execveat: [322, 281],
  shmget: [29, 194],
}

describe.each(['x64', 'arm64'] as const)('the filter for %s', (architecture) => {
  const at = architecture === 'x64' ? 0 : 1
  const numberOf = (name: string): number => knownCalls(architecture).get(name) ?? -1

  it('allows a decoder to read, write, compute and exit', () => {
    for (const name of ['read', 'write', 'mmap', 'futex', 'lseek', 'close', 'exit_group', 'execve'])
      expect({ name, verdict: judge(architecture, numberOf(name)) }).toEqual({ name, verdict: ALLOW })
  })

  it.each(Object.entries(FORBIDDEN))('has no %s', (_name, numbers) => {
    const number = numbers[at]
    if (number !== null && number !== undefined) expect(judge(architecture, number)).toBe(NOT_THERE)
  })

  it('opens files, but does not truncate files that are only readable', () => {
    const open = (flags: number) => judge(architecture, numberOf('openat'), [0, 0, flags])
    expect([0, 1, 2, 0o1001, 0o1102].map(open)).toEqual([ALLOW, ALLOW, ALLOW, ALLOW, ALLOW])
    expect([0o1000, 0o1003].map(open)).toEqual([NOT_THERE, NOT_THERE])
  })

  it('allows threads but no processes', () => {
    expect(judge(architecture, numberOf('clone'), [0x3d0f00])).toBe(ALLOW)
    expect(judge(architecture, numberOf('clone'), [17])).toBe(NOT_THERE)
    expect(judge(architecture, numberOf('clone'), [0x10000000])).toBe(NOT_THERE)
  })

  it('reads its own limits only, and cannot change the signal at its end', () => {
    expect(judge(architecture, numberOf('prlimit64'), [0])).toBe(ALLOW)
    expect(judge(architecture, numberOf('prlimit64'), [4711])).toBe(NOT_THERE)
    expect(judge(architecture, numberOf('prctl'), [15])).toBe(ALLOW)
    expect(judge(architecture, numberOf('prctl'), [1])).toBe(NOT_THERE)
    expect(judge(architecture, numberOf('fcntl'), [3, 1024])).toBe(NOT_THERE)
    expect(judge(architecture, numberOf('ioctl'), [0, 0x5412])).toBe(NOT_THERE)
  })

  it('ends a program that uses the ABI of another architecture', () => {
    expect(judge(architecture, numberOf('read'), [], 0x40000003)).toBe(KILL)
    // x32: the numbers of x64 with a high bit.
    expect(judge(architecture, (0x40000000 + numberOf('read')) >>> 0)).toBe(NOT_THERE)
  })
})
