// The system call filter (seccomp) for media tools, as a classic BPF program: it allows the calls that a decoder needs, and
// answers ENOSYS to all others, which libraries treat like an old kernel.
// Not allowed are, among others: sockets of any kind, new processes, signals to others, tracing, changes of
// owner, mode and time (Landlock does not restrict those), shared memory, mounts, namespaces, io_uring.

export type Architecture = 'x64' | 'arm64'

type Numbers = readonly [x64: number | null, arm64: number | null]

/** Name, number on x64, number on arm64; a dash if there is no such call. */
const FREE = [
  // Bytes of open files
  'read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69',
  'pwritev 296 70, lseek 8 62, ftruncate 77 46, fallocate 285 47, fadvise64 221 223, fsync 74 82',
  'fdatasync 75 83, close 3 57, close_range 436 436, dup 32 23, dup2 33 -, dup3 292 24, pipe 22 -',
  'pipe2 293 59, eventfd2 290 19',
  // Paths; Landlock decides what may be opened
  'stat 4 -, lstat 6 -, fstat 5 80, newfstatat 262 79, statx 332 291, access 21 -, faccessat 269 48',
  'faccessat2 439 439, readlink 89 -, readlinkat 267 78, getcwd 79 17, getdents64 217 61',
  'statfs 137 43, fstatfs 138 44',
  // Memory, bounded by RLIMIT_AS
  'mmap 9 222, munmap 11 215, mprotect 10 226, mremap 25 216, madvise 28 233, brk 12 214',
  'msync 26 227, mlock 149 228, munlock 150 229, get_mempolicy 239 236, set_mempolicy 238 237',
  'mbind 237 235',
  // Threads and their waiting
  'futex 202 98, set_robust_list 273 99, rseq 334 293, membarrier 324 283, set_tid_address 218 96',
  'sched_yield 24 124, sched_getaffinity 204 123, sched_getparam 143 121, sched_getscheduler 145 120',
  'arch_prctl 158 -, poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create1 291 20',
  'epoll_ctl 233 21, epoll_wait 232 -, epoll_pwait 281 22',
  // Time
  'clock_gettime 228 113, clock_getres 229 114, gettimeofday 96 169, time 201 -, nanosleep 35 101',
  'clock_nanosleep 230 115, times 100 153, pause 34 -, alarm 37 -, getitimer 36 102, setitimer 38 103',
  // Its own signal handlers
  'rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, sigaltstack 131 132',
  'rt_sigsuspend 130 133, rt_sigtimedwait 128 137, restart_syscall 219 128',
  // Information about itself and the machine
  'getpid 39 172, gettid 186 178, getppid 110 173, getuid 102 174, geteuid 107 175, getgid 104 176',
  'getegid 108 177, getresuid 118 148, getresgid 120 150, getgroups 115 158, getpgrp 111 -',
  'getpgid 121 155, uname 63 160, sysinfo 99 179, getrusage 98 165, getrlimit 97 163',
  'getrandom 318 278, umask 95 166',
  // Its start and end
  'execve 59 221, exit 60 93, exit_group 231 94, wait4 61 260',
].flatMap((row) => row.split(', ').map(readCall))

function readCall(text: string): readonly [name: string, numbers: Numbers] {
  const [name = '', x64 = '-', arm64 = '-'] = text.split(' ')
  const number = (digits: string): number | null => (digits === '-' ? null : Number(digits))
  return [name, [number(x64), number(arm64)]]
}

type Test =
  /** Allowed when the argument is one of `values`. */
  | { numbers: Numbers; argument: number; values: readonly number[] }
  /** Allowed when the argument has this bit. */
  | { numbers: Numbers; argument: number; bit: number }
  /** Allowed unless the argument's bits under `mask` are one of `not`. */
  | { numbers: Numbers; argument: number; mask: number; not: readonly number[] }

const O_TRUNC = 0o1000
/** Before ABI 3, Landlock allows to truncate a readable file: a tool under attack could empty the original. */
const EMPTYING = { mask: O_TRUNC | 3, not: [O_TRUNC, O_TRUNC | 3] }
const CLONE_THREAD = 0x10000
const PR_SET_NAME = 15
/** Names for memory regions, which allocators set. */
const PR_SET_VMA = 0x53564d41

const TESTED: Readonly<Record<string, Test>> = {
  open: { numbers: [2, null], argument: 1, ...EMPTYING },
  openat: { numbers: [257, 56], argument: 2, ...EMPTYING },
  // Threads, never a process. clone3 has its flags in memory, where a filter cannot read them; so libraries must use clone.
  clone: { numbers: [56, 220], argument: 0, bit: CLONE_THREAD },
  // Terminal queries, and the number of readable bytes.
  ioctl: { numbers: [16, 29], argument: 1, values: [0x5401, 0x5413, 0x541b] },
  // Duplicates and flags of descriptors: no locks, leases, owners of signals, larger pipes.
  fcntl: { numbers: [72, 25], argument: 1, values: [0, 1, 2, 3, 4, 1030] },
  prctl: { numbers: [157, 167], argument: 0, values: [PR_SET_NAME, PR_SET_VMA] },
  // Only its own limits: otherwise it could change those of the worker, which has the same user.
  prlimit64: { numbers: [302, 261], argument: 0, values: [0] },
}

const AUDIT_ARCH: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 }
const ENOSYS = 38

const LOAD = 0x20
const AND = 0x54
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_SET = 0x45
const RETURN = 0x06

const ALLOW = 0x7fff0000
const REFUSE = 0x00050000 | ENOSYS
const KILL = 0x80000000

const NUMBER_AT = 0
const ARCHITECTURE_AT = 4
const ARGUMENTS_AT = 16

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number]

/**
 * The program for this architecture in the kernel's format: 8 bytes per instruction.
 * Only the lower half of an argument is checked: the kernel uses no more of those that are tested here.
 */
export function seccompFilter(architecture: Architecture): Buffer {
  const at = architecture === 'x64' ? 0 : 1
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE_AT],
    [JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH[architecture]],
    // Calls with the ABI of another architecture have other numbers.
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, NUMBER_AT],
  ]
  for (const [, numbers] of FREE) {
    const number = numbers[at]
    if (number !== null) program.push([JUMP_IF_EQUAL, 0, 1, number], [RETURN, 0, 0, ALLOW])
  }
  for (const test of Object.values(TESTED)) {
    const number = test.numbers[at]
    if (number === null) continue
    const body = tested(test)
    program.push([JUMP_IF_EQUAL, 0, body.length, number], ...body)
  }
  program.push([RETURN, 0, 0, REFUSE])
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(([code, ifTrue, ifFalse, value], i) => {
    bytes.writeUInt16LE(code, i * 8)
    bytes.writeUInt8(ifTrue, i * 8 + 2)
    bytes.writeUInt8(ifFalse, i * 8 + 3)
    bytes.writeUInt32LE(value, i * 8 + 4)
  })
  return bytes
}

function tested(test: Test): Instruction[] {
  const load: Instruction = [LOAD, 0, 0, ARGUMENTS_AT + test.argument * 8]
  const allow: Instruction = [RETURN, 0, 0, ALLOW]
  const refuse: Instruction = [RETURN, 0, 0, REFUSE]
  if ('bit' in test) return [load, [JUMP_IF_SET, 0, 1, test.bit], allow, refuse]
  if ('values' in test) {
    const equal = (value: number): Instruction[] => [[JUMP_IF_EQUAL, 0, 1, value], allow]
    return [load, ...test.values.flatMap(equal), refuse]
  }
  const equal = (value: number): Instruction[] => [[JUMP_IF_EQUAL, 0, 1, value], refuse]
  return [load, [AND, 0, 0, test.mask], ...test.not.flatMap(equal), allow]
}

/** Names and numbers of all calls that the filter knows, for tests against the kernel's own tables. @internal */
export function knownCalls(architecture: Architecture): Map<string, number> {
  const at = architecture === 'x64' ? 0 : 1
  const all = [...FREE, ...Object.entries(TESTED).map(([name, { numbers }]) => [name, numbers] as const)]
  return new Map(
    all.flatMap(([name, numbers]): [string, number][] => {
      const number = numbers[at]
      return number === null ? [] : [[name, number]]
    }),
  )
}
