import { describe, expect, it } from 'vitest'
import { classify, type Ending } from '../../../../workers/media/tool-error.ts'

const exit = (stderrTail: string, more: Partial<Ending> = {}): Ending => ({
  exitCode: 1,
  signal: null,
  stderrTail,
  ...more,
})

describe('classify', () => {
  it.each<[string, Ending, string, string]>([
    ['nonsense in the file', exit('Invalid data found when processing input'), 'INPUT_UNREADABLE', 'input'],
    ['a demuxer that is not allowed', exit("Format not on whitelist 'mov'"), 'INPUT_REFUSED', 'input'],
    ['too many pixels', exit('Picture size 8192x8192 exceeds specified max pixel count'), 'INPUT_REFUSED', 'input'],
    [
      'too many streams, which also says that memory is short',
      exit('Number of streams exceeds max_streams parameter (16)\nfile: Cannot allocate memory'),
      'INPUT_REFUSED',
      'input',
    ],
    ['the memory limit', exit('Cannot allocate memory'), 'TOOL_MEMORY_LIMIT', 'input'],
    ['the CPU limit, seen by ffmpeg', exit('received signal 24', { exitCode: 255 }), 'TOOL_CPU_LIMIT', 'input'],
    ['the CPU limit', exit('', { exitCode: null, signal: 'SIGXCPU' }), 'TOOL_CPU_LIMIT', 'input'],
    ['the file size limit', exit('', { exitCode: null, signal: 'SIGXFSZ' }), 'TOOL_OUTPUT_LIMIT', 'input'],
    ['the file size limit behind a wrapper', exit('', { exitCode: 153 }), 'TOOL_OUTPUT_LIMIT', 'input'],
    ['a crash of the decoder', exit('', { exitCode: null, signal: 'SIGSEGV' }), 'INPUT_UNREADABLE', 'input'],
    ['a division by zero in it', exit('', { exitCode: null, signal: 'SIGFPE' }), 'INPUT_UNREADABLE', 'input'],
    ['the same behind a wrapper', exit('', { exitCode: 136 }), 'INPUT_UNREADABLE', 'input'],
    ['the OOM killer', exit('', { exitCode: null, signal: 'SIGKILL' }), 'TOOL_KILLED', 'system'],
    [
      'a full disk, whatever else is said',
      exit('Invalid data\nav_write: No space left on device'),
      'OUT_OF_SPACE',
      'system',
    ],
    ['a missing library', exit('ffmpeg: error while loading shared libraries: libx.so'), 'TOOL_MISSING', 'system'],
    ['a wrapper without its tool', exit('', { exitCode: 127 }), 'TOOL_MISSING', 'system'],
    ['a folder that is not ours', exit('/data/x: Permission denied'), 'TOOL_FAILED', 'system'],
    ['no fence', { exitCode: 125, signal: null, stderrTail: 'launch: Landlock: …' }, 'TOOL_FAILED', 'system'],
    [
      'no room for its output',
      { exitCode: 125, signal: null, stderrTail: 'launch: /s/out.mp4: No space left on device' },
      'OUT_OF_SPACE',
      'system',
    ],
    [
      'too many threads',
      { exitCode: null, signal: 'SIGKILL', stderrTail: '', stopped: 'threads' },
      'TOOL_THREAD_LIMIT',
      'input',
    ],
    ['a file that talks of networks', exit('Connection refused'), 'INPUT_UNREADABLE', 'input'],
    ['the deadline', exit('', { stopped: 'wall', exitCode: 255 }), 'TOOL_TIMEOUT', 'system'],
    ['the watchdog', exit('', { stopped: 'idle', exitCode: null, signal: 'SIGKILL' }), 'TOOL_STALLED', 'system'],
    ['an abort', exit('Invalid data', { stopped: 'abort', exitCode: 255 }), 'TOOL_ABORTED', 'system'],
    ['too much output', exit('', { stopped: 'output', signal: 'SIGKILL' }), 'TOOL_OUTPUT_LIMIT', 'input'],
  ])('%s', (_name, ending, code, source) => {
    expect(classify(ending)).toEqual({ code, source })
  })
})
